"""Players that do to a few sessions what clients, workers and time do, all at once and in random order.

Each append of a worker bears a word of its own, so that afterwards the log tells whose writes went through.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

from sojourn.domain.content import TextPart, Usage
from sojourn.domain.errors import Conflict, LeaseLost
from sojourn.domain.events import Actor, Delivery, ModelCalled, RunnerKind, UsageRecorded
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import DEFAULT_ORG, MessageId, SessionId
from sojourn.ports import Ready
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from sojourn.worker.journal import TurnJournal

BY = Actor("human")
RUNNERS: tuple[RunnerKind, ...] = ("model",)
DELIVERIES: tuple[Delivery, ...] = ("queue", "queue", "steer", "interrupt")


@dataclass
class Witness:
    """The words of the appends that were acknowledged, and of those that were refused."""

    acknowledged: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    verbs: int = 0


class Players:
    def __init__(self, services: Services, sessions: Sequence[SessionId], seed: int) -> None:
        self._services = services
        self._sessions = sessions
        self._random = Random(seed)
        self._name = f"worker-{uuid4()}"
        self.witness = Witness()

    async def play(self, rounds: int, workers: int = 4) -> Witness:
        """`rounds` acts of each player. What a rival made impossible is refused, and that is part of the game."""
        acts: list[Callable[[], Awaitable[None]]] = [self._work] * workers
        acts += [self._send, self._send, self._cancel, self._reclaim, self._end]
        await asyncio.gather(*(self._repeat(act, rounds) for act in acts))
        return self.witness

    async def _repeat(self, act: Callable[[], Awaitable[None]], rounds: int) -> None:
        for _ in range(rounds):
            await self._pause()
            with suppress(Conflict, LeaseLost):
                await act()
            self.witness.verbs += 1

    async def _pause(self) -> None:
        """Let the others go first, for a random number of turns of the event loop."""
        for _ in range(self._random.choice((0, 0, 1, 1, 2, 5, 20))):
            await asyncio.sleep(0)  # noqa: TID251 - waits for nothing: it is the interleaving

    def _any_session(self) -> SessionId:
        return self._random.choice(self._sessions)

    async def _send(self) -> None:
        new = NewInput(content=(TextPart("go on"),), delivery=self._random.choice(DELIVERIES))
        await self._services.inputs.send(DEFAULT_ORG, self._any_session(), new, BY)

    async def _cancel(self) -> None:
        record = await self._services.sessions.get(DEFAULT_ORG, self._any_session())
        if record.session.open_turn is not None:
            await self._services.turns.cancel(DEFAULT_ORG, record.session.id, record.session.open_turn, BY)

    async def _reclaim(self) -> None:
        """The leases have no time to live, so each tick takes back every turn that somebody holds."""
        await self._services.upkeep.tick()

    async def _end(self) -> None:
        if self._random.random() < 0.2:
            await self._services.sessions.end(DEFAULT_ORG, self._any_session(), "completed", None, BY)

    async def _work(self) -> None:
        turn = await self._services.turns.claim(Ready(DEFAULT_ORG, self._any_session()), self._name, RUNNERS)
        if turn is None:
            return
        journal = TurnJournal(self._services.turns, turn, Conversation())
        await journal.catch_up()
        for _ in range(self._random.randrange(4)):
            await self._pause()
            await self._append(journal)
        await self._pause()
        await self._finish(journal)

    async def _append(self, journal: TurnJournal) -> None:
        """Call the model once more, as after a call that broke off, with the steers that wait."""
        word = f"{journal.turn.attempt}/{uuid4()}"
        recorded = UsageRecorded(source=word, usage=Usage(input_tokens=1))
        progress = journal.conversation.progress
        call = progress.call if progress.open_call else progress.call + 1
        intent = ModelCalled(call=call, model="sim/echo", message=MessageId(uuid4()))
        events = (recorded, *progress.unfinished().closing("unknown", "the race goes on"))
        try:
            await self._services.turns.append(journal.turn, events, (intent,), steers_before=call)
        except LeaseLost:
            self.witness.refused.append(word)
            raise
        self.witness.acknowledged.append(word)
        await journal.catch_up()

    async def _finish(self, journal: TurnJournal) -> None:
        turns, turn = self._services.turns, journal.turn
        events = journal.conversation.progress.unfinished().closing("unknown", "the race is over")
        match self._random.randrange(5):
            case 0 | 1:
                await turns.settle(turn, events)
            case 2:
                await turns.settle(turn, events, "error", "The race says so.")
            case 3:
                await turns.retry(turn, events, "The race says so.", 0.0)
            case _:
                # The worker falls silent, and its lease runs out.
                await self._append(journal)
