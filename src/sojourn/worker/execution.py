"""One claimed turn, from its claim to its end: fold the log, run, write what came of it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

from sojourn.domain.ask import NewAsk
from sojourn.domain.errors import CallRefused, LeaseLost, StoreUnavailable, WrongState
from sojourn.domain.events import RunnerEvent
from sojourn.domain.fold import Conversation, UnknownEventType
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.kinds import RunnerKind
from sojourn.ports.endings import Faulted, Parked, Settled
from sojourn.ports.turns import ClaimedTurn, Runner, Turns
from sojourn.worker.characters import said_whole
from sojourn.worker.journal import TurnJournal

log = logging.getLogger(__name__)

CACHED_FOLDS: Final = 256
STORE_RETRY_SECONDS: Final = 1.0

Ending = Settled | Faulted | Parked


class Folds:
    """The folds of the sessions that this worker ran last, so that a long session is not read from its start."""

    def __init__(self) -> None:
        # A client may choose its session's id: it is unique within its organisation only.
        self._kept: OrderedDict[tuple[OrgId, SessionId], Conversation] = OrderedDict()

    def take(self, org: OrgId, session: SessionId) -> Conversation:
        """The kept fold, which is then the caller's alone, or an empty one."""
        return self._kept.pop((org, session), None) or Conversation()

    def put(self, org: OrgId, session: SessionId, conversation: Conversation) -> None:
        self._kept[org, session] = conversation
        if len(self._kept) > CACHED_FOLDS:
            self._kept.popitem(last=False)


class Execution:
    """Runs one claim. A lost lease ends it without a word: the work is somebody else's."""

    def __init__(self, turns: Turns, runners: Mapping[RunnerKind, Runner], folds: Folds) -> None:
        self._turns = turns
        self._runners = runners
        self._folds = folds

    async def execute(self, turn: ClaimedTurn) -> Ending | None:
        """How the claim ended; None if its lease was lost, or a budget has ended or parked the turn."""
        journal = TurnJournal(self._turns, turn, self._folds.take(turn.org, turn.session))
        try:
            return await self._run(journal)
        except CallRefused as refusal:
            log.info("turn %s goes no further: %s", turn.turn, refusal)
            return None
        except LeaseLost:
            log.info("turn %s of session %s went to somebody else", turn.turn, turn.session)
            return None

    async def _run(self, journal: TurnJournal) -> Ending:
        """A defect of the runner, or of what it returned, ends its turn and nothing else."""
        turn = journal.turn
        try:
            await journal.catch_up()
            ending = await self._runners[turn.agent.spec.runner].run(journal)
            await said_whole(partial(self._write, turn), ending)
        except (LeaseLost, StoreUnavailable):
            raise
        except UnknownEventType as error:
            ending = Settled(events=(), reason="error", error=str(error))
        except asyncio.CancelledError:
            if is_cancelled():
                # The runner has ended, and what it read of the log is true for the session's next turn too.
                self._folds.put(turn.org, turn.session, journal.conversation)
                raise
            log.exception("the runner of turn %s let a cancellation of its own escape", turn.turn)
            ending = await _defect(journal)
        except Exception:
            log.exception("the runner of turn %s failed", turn.turn)
            ending = await _defect(journal)
        else:
            self._folds.put(turn.org, turn.session, journal.conversation)
            return ending
        await self._write(turn, ending)
        return ending

    async def _write(self, turn: ClaimedTurn, ending: Ending) -> None:
        match ending:
            case Settled(events=events, reason=reason, error=error):
                await self._turns.settle(turn, events, reason, error)
            case Faulted(events=events, error=error, delay_seconds=delay):
                await self._turns.retry(turn, events, error, delay)
            case Parked(events=events, asks=asks):
                await self._park(turn, events, asks)

    async def _park(self, turn: ClaimedTurn, events: Sequence[RunnerEvent], asks: Sequence[NewAsk]) -> None:
        try:
            await self._turns.wait(turn, events, asks, "parked")
        except WrongState:
            if asks:
                raise
            # The last open ask was decided since the runner looked: there is nothing to wait for any more.
            # That is no fault of anybody's, so the turn is given back and not retried.
            if events:
                await self._turns.append(turn, events)
            await self._turns.give_back(turn)


async def _defect(journal: TurnJournal) -> Settled:
    """The end of a turn whose runner cannot be trusted to end it: what it left open is closed for it."""
    try:
        await journal.catch_up()
    except (LeaseLost, StoreUnavailable):
        raise
    except Exception:
        # A log that cannot be read does not tell what is open, and a turn that nobody ends would stay open for good.
        log.exception("the log of session %s cannot be read", journal.turn.session)
        return Settled(
            events=(), reason="error", error="The session's log cannot be read; the server's log says why."
        )
    events = journal.conversation.progress.unfinished().closing("unknown", "the runner failed")
    return Settled(events=events, reason="error", error="The runner failed; the server's log says how.")


def is_cancelled() -> bool:
    """Whether somebody cancelled this task; a CancelledError may as well come from a thing that it waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def until_stored(act: Callable[[], Awaitable[None]]) -> None:
    """Repeat what the store refused, until it takes it or the lease is gone."""
    while True:
        try:
            await act()
        except StoreUnavailable:
            await asyncio.sleep(STORE_RETRY_SECONDS)
        except LeaseLost:
            return
        else:
            return
