"""The rows of a session from its log alone: what a fork is given of the past.

Every row as it stood behind the last event that was applied, whatever became of it later in the log it is read from.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sojourn.domain.ask import Ask
from sojourn.domain.events import (
    AskDecided,
    AskOpened,
    Event,
    InputDelivered,
    InputEdited,
    InputMoved,
    InputReceived,
    InputWithdrawn,
    SessionRewound,
    TurnCancelled,
    TurnCompleted,
    TurnDeferred,
    TurnFailed,
    TurnQueued,
    TurnReclaimed,
    TurnRetried,
    TurnStarted,
)
from sojourn.domain.file import File, is_below
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.fold import UnknownEventType
from sojourn.domain.ids import AskId, InputId, TurnId
from sojourn.domain.input import Input
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.log import LogEntry
from sojourn.domain.queue import input_of, moved
from sojourn.domain.turn import Turn, TurnStatus

_READ: Final[tuple[type[Event], ...]] = (
    InputReceived,
    InputEdited,
    InputMoved,
    InputWithdrawn,
    InputDelivered,
    TurnQueued,
    TurnDeferred,
    TurnStarted,
    TurnRetried,
    TurnReclaimed,
    TurnCompleted,
    TurnFailed,
    TurnCancelled,
    AskOpened,
    AskDecided,
    FileWritten,
    FileDeleted,
    SessionRewound,
)

# The types that it reads; it needs no other entry.
REBUILT_FROM: Final = tuple(event.type for event in _READ)


@dataclass(slots=True)
class Settled:
    """Rows that nothing later changes."""

    turns: list[Turn] = field(default_factory=list[Turn])
    inputs: list[Input] = field(default_factory=list[Input])
    asks: list[Ask] = field(default_factory=list[Ask])


class Rebuild:
    """`turn` is the turn that is open at the end, `asks` are its asks, `waiting` the inputs that nobody has read.

    `runner` is the session's. How often a turn stalled or failed in passing is not told: no turn that is made anew
    is ever claimed again.
    """

    def __init__(self, runner: RunnerKind) -> None:
        self._runner: RunnerKind = runner
        self._settled = Settled()
        self._reclaimed_from: str | None = None
        self.turn: Turn | None = None
        self.turns = 0
        self.is_rewound = False
        self.waiting: dict[InputId, Input] = {}
        self.asks: dict[AskId, Ask] = {}
        self.files: dict[str, File] = {}

    def take_settled(self) -> Settled:
        """What was settled since this was last asked."""
        settled, self._settled = self._settled, Settled()
        return settled

    def apply(self, entry: LogEntry, at: datetime) -> None:
        """Take in an entry, which was written `at`. UnknownEventType for what a later release wrote."""
        match entry.event:
            case None:
                raise UnknownEventType(entry.type, entry.seq)
            case InputReceived() as received:
                self.waiting[received.input] = input_of(received, entry.seq, at)
            case InputEdited(input=input, content=content, revision=revision):
                self.waiting[input] = replace(self.waiting[input], content=content, revision=revision)
            case InputMoved() as moving:
                self._move(moving)
            case InputWithdrawn(input=input):
                self._settled.inputs.append(replace(self.waiting.pop(input), status="withdrawn"))
            case InputDelivered(input=input):
                read = self.waiting.pop(input)
                self._settled.inputs.append(replace(read, status="delivered", turn=entry.turn or read.turn))
            case SessionRewound():
                # The rows are those of the whole log; only the conversation knows what was taken back.
                self.is_rewound = True
            case FileWritten() | FileDeleted() as change:
                self._change_file(change, entry.seq, at)
            case _:
                self._apply_to_turn(entry.turn, entry.event, entry.seq, at)

    def _move(self, moving: InputMoved) -> None:
        input = self.waiting[moving.input]
        others = [one for one in self.waiting.values() if one.id != input.id]
        before = None if moving.before is None else self.waiting[moving.before]
        last = max(others, key=lambda one: one.place, default=None)
        at, shift = moved(input, before, last)
        if shift is not None:
            self.waiting = {id: shift.over(one) for id, one in self.waiting.items()}
        self.waiting[input.id] = replace(at, revision=moving.revision)

    def _apply_to_turn(self, id: TurnId | None, event: Event, seq: int, at: datetime) -> None:
        turn = self.turn
        match event:
            case TurnQueued(input=input) if id is not None:
                self.turn = Turn(
                    id=id,
                    input=input,
                    runner=self._runner,
                    status=TurnStatus.QUEUED,
                    first_seq=seq,
                    created_at=at,
                    model=self.waiting[input].model,
                )
                self.turns += 1
            case TurnDeferred():
                self.turn = None
                self.turns -= 1
            case TurnStarted() if turn is not None:
                self.turn = replace(
                    turn,
                    status=TurnStatus.RUNNING,
                    attempt=event.attempt,
                    worker=event.worker,
                    agent_version=event.agent_version,
                    started_at=turn.started_at or at,
                    claimed_at=at,
                )
            case TurnRetried() | TurnReclaimed() if turn is not None:
                self._reclaimed_from = turn.worker
                self.turn = replace(turn, status=TurnStatus.RETRYING, worker=None)
            case TurnCompleted() | TurnFailed() | TurnCancelled() if turn is not None:
                self._close(turn, event, at)
            case AskOpened(ask=ask, kind=kind, prompt=prompt, expires_at=expires_at) if turn is not None:
                self.asks[ask] = Ask(
                    id=ask, turn=turn.id, kind=kind, prompt=prompt, created_at=at, expires_at=expires_at
                )
            case AskDecided(ask=ask):
                self.asks[ask] = replace(self.asks[ask], status="decided")
            case _:
                pass

    def _close(self, turn: Turn, event: TurnCompleted | TurnFailed | TurnCancelled, at: datetime) -> None:
        error = event.error if isinstance(event, TurnFailed) else None
        if event.reason == "no_progress":
            # The reclaim that gives a turn up leaves it to the worker that it took it from.
            turn = replace(turn, worker=self._reclaimed_from)
        status = TurnStatus(event.type.removeprefix("turn."))
        self._settled.turns.append(
            replace(turn, status=status, reason=event.reason, error=error, ended_at=at)
        )
        for ask in self.asks.values():
            self._settled.asks.append(replace(ask, status="void") if ask.status == "open" else ask)
        self.asks.clear()
        self.turn = None

    def _change_file(self, change: FileWritten | FileDeleted, seq: int, at: datetime) -> None:
        if isinstance(change, FileDeleted):
            deleted = self.files.get(change.path)
            if deleted is not None and not deleted.is_directory:
                # Nothing lies below a file.
                del self.files[change.path]
                return
            for path in [path for path in self.files if path == change.path or is_below(path, change.path)]:
                del self.files[path]
            return
        known = self.files.get(change.path)
        self.files[change.path] = File(
            path=change.path,
            sha256=change.sha256,
            size=change.size,
            seq=seq,
            created_at=at if known is None else known.created_at,
            updated_at=at,
            readonly=change.readonly,
        )
