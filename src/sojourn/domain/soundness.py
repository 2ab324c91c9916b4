"""Whether a log from outside is one that a session can have: everything in it follows from what stands before.

What is written here is what folds and rows rely on; a log that breaks it would fail its readers later.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NoReturn
from uuid import UUID

from sojourn.domain import events as e
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file import MAX_FILE_BYTES, MAX_FILES, ancestors, file_path, is_below
from sojourn.domain.ids import AskId, InputId, TurnId
from sojourn.domain.log import LogEntry
from sojourn.domain.queue import MAX_QUEUED
from sojourn.domain.transcript import Transcript

_MAX_INT: Final = 2**31 - 1
# Of the asks of a turn and of the tool calls of a model's answer. What is open at the end of a log is closed in one
# transaction, and keeps everybody waiting for as long as that takes.
MAX_OF_TURN: Final = 10_000

_Ends = e.TurnCompleted | e.TurnFailed | e.TurnCancelled | e.TurnDeferred
_OfTurn = (
    e.TurnStarted | e.TurnWaiting | e.TurnResumed | e.TurnRetried | e.TurnReclaimed | _Ends
    | e.ModelCalled | e.ToolRequested | e.ToolStarted | e.ToolCompleted | e.ToolDenied
    | e.AskOpened | e.AskDecided | e.InputDelivered | e.MessageCompleted | e.MessageAbandoned | e.ModelCompleted
    | e.MemoryWritten | e.MemoryDeleted
)  # fmt: skip


class Unsound(Exception):
    """The event cannot stand where it stands; the first argument says why, as what is said of an event."""


@dataclass(slots=True)
class _Turn:
    """`tools` are those of the last model call, True once they have their result."""

    id: TurnId
    first_seq: int
    held: bool = False
    attempt: int = 0
    tools: dict[int, bool] = field(default_factory=dict[int, bool])
    asks: set[AskId] = field(default_factory=set[AskId])
    asked: int = 0


class Soundness:
    """Takes the events of a log in order. `contents` are the sizes of the files' contents, by their digests."""

    def __init__(self, contents: dict[str, int]) -> None:
        self._contents = contents
        self._is_open = True
        self._turn: _Turn | None = None
        self._turns: list[tuple[int, int]] = []
        # Turns, inputs and asks are found by their ids, so none may come twice.
        self._ids = set[UUID]()
        self._waiting: dict[InputId, tuple[TurnId, int]] = {}
        self._files: dict[str, str | None] = {}
        self._transcript = Transcript()

    def take(self, entry: LogEntry, at: datetime) -> None:
        """Unsound for an event that cannot come now."""
        event, turn = entry.event, self._turn
        if (entry.seq == 1) != isinstance(event, e.SessionCreated):
            _refuse("is not where a session.created stands")
        match event:
            case e.InputReceived() | e.InputEdited() | e.InputMoved() | e.InputWithdrawn():
                self._take_input(event)
            case e.TurnQueued(input=input):
                self._queue(entry, input)
            case e.FileWritten() | e.FileDeleted():
                self._take_file(event)
            case _ if not isinstance(event, _OfTurn):
                self._take_of_session(entry)
            case _ if turn is None or entry.turn != turn.id:
                _refuse("is of a turn that is not open")
            case e.TurnCompleted() | e.TurnFailed() | e.TurnCancelled() | e.TurnDeferred():
                self._close(turn, event, entry.seq)
            case _:
                self._take_of_turn(turn, event)
        self._tell(entry, at)

    def _tell(self, entry: LogEntry, at: datetime) -> None:
        """To the fold that asks the most of a log."""
        if isinstance(entry.event, e.SessionRewound):
            return
        try:
            self._transcript.extend([(at, entry)])
        except KeyError:
            raise Unsound("refers to what was not said before") from None
        if self._turn is None:
            # Nothing later changes what was said in a turn that is over, so it need not be kept.
            fresh = Transcript()
            fresh.waiting = self._transcript.waiting
            self._transcript = fresh

    def _take_of_session(self, entry: LogEntry) -> None:
        match entry.event:
            case e.SessionForked(at=at) | e.SessionImported(at=at):
                if at != entry.seq - 1:
                    _refuse("is not about the event before it")
                self._is_open = True
            case e.SessionEnded() | e.SessionExpired():
                if not (self._is_open and self._is_idle):
                    _refuse("ends a session that is ended, or not idle")
                self._is_open = False
            case e.SessionReopened():
                if self._is_open:
                    _refuse("reopens an open session")
                self._is_open = True
            case e.SessionTrimmed() if self._is_open:
                _refuse("cuts the log of an open session")
            case e.SessionRewound(to=to):
                self._rewind(entry.seq, to)
            case _:
                pass

    @property
    def _is_idle(self) -> bool:
        return self._turn is None and not self._waiting

    def _rewind(self, seq: int, to: int) -> None:
        if not (0 < to < seq and self._is_open and self._is_idle):
            _refuse("rewinds what is not idle, or to no event before it")
        begun = bisect_right(self._turns, to, key=lambda turn: turn[0])
        if begun and to < self._turns[begun - 1][1]:
            _refuse("rewinds to an event within a turn")

    def _take_input(self, event: e.InputReceived | e.InputEdited | e.InputMoved | e.InputWithdrawn) -> None:
        if isinstance(event, e.InputReceived):
            if not self._is_open:
                _refuse("is received by an ended session")
            self._new(event.input)
            self._waiting[event.input] = (event.turn, 0)
            # The one that the queued turn will read is not counted among those behind it.
            if len(self._waiting) > MAX_QUEUED + 1:
                _refuse("is received by a session whose queue is full")
            return
        if event.input not in self._waiting:
            _refuse("is about an input that does not wait")
        turn, revision = self._waiting.pop(event.input)
        if isinstance(event, e.InputMoved) and event.before is not None and event.before not in self._waiting:
            _refuse("moves an input before one that does not wait")
        if not isinstance(event, e.InputWithdrawn):
            if event.revision != revision + 1:
                _refuse("skips a revision of an input")
            self._waiting[event.input] = (turn, event.revision)

    def _queue(self, entry: LogEntry, input: InputId) -> None:
        if self._turn is not None or not self._is_open:
            _refuse("queues a turn while one is open, or of an ended session")
        if entry.turn is None or self._waiting.get(input, (None, 0))[0] != entry.turn:
            _refuse("queues a turn for no input that waits for it")
        self._new(entry.turn)
        self._turn = _Turn(entry.turn, entry.seq)

    def _close(self, turn: _Turn, event: _Ends, seq: int) -> None:
        if isinstance(event, e.TurnCompleted) and not turn.held:
            _refuse("completes a turn that nobody holds")
        if isinstance(event, e.TurnDeferred):
            if turn.attempt or self._waiting.get(event.input, (None, 0))[0] != turn.id:
                _refuse("defers a turn that was claimed, or for another input")
            # It is queued again under the same id.
            self._ids.discard(turn.id)
        _require_results(turn)
        self._turns.append((turn.first_seq, seq))
        self._turn = None

    def _take_of_turn(self, turn: _Turn, event: e.Event | None) -> None:
        match event:
            case e.TurnStarted(attempt=attempt, agent_version=version):
                if turn.held or attempt != turn.attempt + 1 or not 0 < version <= _MAX_INT:
                    _refuse("claims a turn that is held, or skips an attempt")
                turn.held, turn.attempt = True, attempt
            case e.TurnRetried() | e.TurnReclaimed() | e.TurnWaiting():
                if not turn.held:
                    _refuse("is of a turn that nobody holds")
                turn.held = isinstance(event, e.TurnWaiting) and event.mode == "held"
            case e.InputDelivered(input=input):
                if self._waiting.pop(input, None) is None or not turn.held:
                    _refuse("delivers an input that does not wait, or to nobody")
            case e.AskOpened() | e.AskDecided():
                self._take_ask(turn, event)
            case _:
                _take_step(turn, event)

    def _take_ask(self, turn: _Turn, event: e.AskOpened | e.AskDecided) -> None:
        if isinstance(event, e.AskDecided):
            if event.ask not in turn.asks:
                _refuse("decides an ask that is not open")
            turn.asks.discard(event.ask)
            return
        self._new(event.ask)
        if event.expires_at is not None and event.expires_at.tzinfo is None:
            _refuse("has a deadline without a zone")
        turn.asks.add(event.ask)
        turn.asked += 1
        if turn.asked > MAX_OF_TURN:
            _refuse("asks more than a turn may")

    def _take_file(self, event: e.FileWritten | e.FileDeleted) -> None:
        try:
            path = file_path(event.path)
        except InvalidRequest as error:
            raise Unsound(f"names a path that {error.problem}") from None
        if path != event.path:
            _refuse("names a path in another form than its one")
        if isinstance(event, e.FileDeleted):
            if self._files.get(path) is not None:
                # Nothing lies below a file.
                del self._files[path]
                return
            self._files = {
                one: sha for one, sha in self._files.items() if one != path and not is_below(one, path)
            }
            return
        size = 0 if event.sha256 is None else self._contents.get(event.sha256, -1)
        if event.size != size or size > MAX_FILE_BYTES:
            _refuse("tells another size than the content has, or one beyond what a file may have")
        self._files[path] = event.sha256
        if len(self._files) > MAX_FILES or any(self._files.get(above) for above in ancestors(path)):
            _refuse("writes below a file, or more files than an area holds")

    def _new(self, id: UUID) -> None:
        if id in self._ids:
            _refuse("gives an id again that was given before")
        self._ids.add(id)


def _take_step(turn: _Turn, event: e.Event | None) -> None:
    match event:
        case e.ModelCalled():
            _require_results(turn)
            turn.tools.clear()
        case e.ToolRequested(index=index):
            if index in turn.tools or not 0 <= index <= _MAX_INT:
                _refuse("asks for a tool under an index that is taken")
            turn.tools[index] = False
            if len(turn.tools) > MAX_OF_TURN:
                _refuse("asks for more tools than one answer may")
        case e.ToolStarted(index=index) | e.ToolDenied(index=index):
            if turn.tools.get(index, True):
                _refuse("is of a tool call that was not asked for, or is over")
        case e.ToolCompleted(index=index):
            if turn.tools.get(index, True):
                _refuse("is the result of a tool call that was not asked for, or is over")
            turn.tools[index] = True
        case _:
            pass


def _require_results(turn: _Turn) -> None:
    if not all(turn.tools.values()):
        _refuse("comes before the results of all tool calls")


def _refuse(problem: str) -> NoReturn:
    raise Unsound(problem)
