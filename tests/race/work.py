"""A worker of the race: it claims, runs a while as a runner would, and ends, waits or falls silent.

Each of its writes bears a word of its own, so that afterwards the log tells whose writes went through.
"""

from collections.abc import Awaitable, Callable
from random import Random
from uuid import uuid4

from sojourn.domain.content import Usage
from sojourn.domain.errors import CallRefused, LeaseLost
from sojourn.domain.events import UsageRecorded
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.domain.kinds import RunnerKind
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.core import Services
from sojourn.worker.journal import TurnJournal
from tests.race.witness import Witness
from tests.support.runner import Append, RandomRunner, Retry, RunnerMove, Settle

RUNNERS: tuple[RunnerKind, ...] = ("model",)
PATIENCE_SECONDS = 0.001


class RaceWorker:
    def __init__(
        self, services: Services, random: Random, witness: Witness, pause: Callable[[], Awaitable[None]]
    ) -> None:
        self._services = services
        self._random = random
        self._witness = witness
        self._pause = pause
        self._name = f"worker-{uuid4()}"

    async def work(self, session: SessionId) -> None:
        """One claim, from its beginning to its end, or to the moment at which the worker falls silent."""
        turn = await self._services.turns.claim(Ready(DEFAULT_ORG, session), self._name, RUNNERS)
        if turn is None:
            return
        journal = TurnJournal(self._services.turns, turn, Conversation())
        await journal.catch_up()
        runner = self._runner(turn, journal.conversation)
        while self._random.random() < 0.9:
            await self._pause()
            move = runner.move(journal.conversation)
            await self._write(turn, move)
            if not isinstance(move, Append):
                return
            await journal.catch_up()

    def _runner(self, turn: ClaimedTurn, conversation: Conversation) -> RandomRunner:
        announced = conversation.progress.open_call if turn.attempt == 1 else None
        first = None if announced is None else announced.message
        return RandomRunner(self._random, f"{turn.attempt}", first, PATIENCE_SECONDS)

    async def _write(self, turn: ClaimedTurn, move: RunnerMove) -> None:
        word = f"{turn.attempt}/{uuid4()}"
        try:
            await self._send(turn, move, UsageRecorded(source=word, usage=Usage(input_tokens=1)))
        except CallRefused:
            # What it reported is written, and the turn is over or waits.
            self._witness.acknowledged.append(word)
            raise
        except LeaseLost:
            self._witness.refused.append(word)
            raise
        self._witness.acknowledged.append(word)

    async def _send(self, turn: ClaimedTurn, move: RunnerMove, mark: UsageRecorded) -> None:
        turns = self._services.turns
        match move:
            case Append(events, intents, steers_before):
                await turns.append(turn, (mark, *events), intents, steers_before)
            case Settle(events, reason, error):
                await turns.settle(turn, (mark, *events), reason, error)
            case Retry(events, error):
                await turns.retry(turn, (mark, *events), error, 0.0)
            case _:
                await turns.wait(turn, (mark,), move.asks, move.mode)
