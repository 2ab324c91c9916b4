"""Whether a session can be made of an exported one: that the file is whole, and that its log is one of ours."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn
from uuid import UUID

import msgspec

from sojourn.domain.events import Event, MessageCompleted, SessionForked, TurnQueued
from sojourn.domain.export import ExportedBlob, ExportedEvent, Header, Trailer
from sojourn.domain.fold import Conversation, Unfinished
from sojourn.domain.ids import MessageId, SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.log import LogEntry
from sojourn.domain.soundness import Soundness, Unsound
from sojourn.domain.verifier import BrokenExport, Verifier
from sojourn.service.codec import decode, referred
from sojourn.service.verbs import TURN_EVENTS

# Of the data of an event.
MAX_DEPTH: Final = 128
# Clocks differ; an event of later is none that happened.
_AHEAD: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Whose fork the log says that it is, and the last event that the two share."""

    parent: SessionId
    last: ExportedEvent


@dataclass(slots=True)
class Checked:
    """A file that was found whole. `unfinished` is what the turn that is open at its end has begun."""

    header: Header
    trailer: Trailer
    origin: SessionId
    lineage: Lineage | None
    unfinished: Unfinished


class Check:
    """One reading of a file, line by line."""

    def __init__(self, now: datetime) -> None:
        self._latest = now + _AHEAD
        self._verifier = Verifier()
        self._contents: dict[str, int] = {}
        self._soundness = Soundness(self._contents)
        # Those of the open turn.
        self._steps = Conversation()
        self._said = set[MessageId]()
        self._last: ExportedEvent | None = None
        self._lineage: Lineage | None = None

    @property
    def line(self) -> int:
        """How many were taken."""
        return self._verifier.line

    def take(self, line: bytes) -> None:
        match self._verifier.take(line):
            case Header() as header:
                if header.first_seq != 1:
                    self._fail("begins after the first event of its log, so no session can be made of it")
            case ExportedBlob(sha256=sha256, data=data):
                self._contents[sha256] = len(data)
            case ExportedEvent() as exported:
                self._take_event(exported)
            case Trailer():
                pass

    def _take_event(self, exported: ExportedEvent) -> None:
        if not _EPOCH <= exported.at <= self._latest:
            self._fail("is of a time that has not come, or was before all")
        event = self._understood(exported)
        entry = LogEntry(exported.seq, exported.turn, exported.type, event)
        try:
            self._soundness.take(entry, exported.at)
        except Unsound as error:
            self._fail(f"holds an event that {error}")
        if isinstance(event, TurnQueued):
            self._steps, self._said = Conversation(), set[MessageId]()
        if exported.turn is not None and exported.type in TURN_EVENTS:
            self._steps.extend([entry])
        if isinstance(event, MessageCompleted):
            self._said.add(event.message)
        if isinstance(event, SessionForked) and self._last is not None:
            # A fork of a fork has its parent's word of it before its own.
            self._lineage = Lineage(event.parent, self._last)
        self._last = exported

    def _understood(self, exported: ExportedEvent) -> Event:
        if referred(exported.data) is not None:
            self._fail("holds a reference in the place of an event's data")
        if problem := _unfit(exported.data):
            self._fail(problem)
        try:
            event = decode(exported.type, exported.v, exported.data)
        except (msgspec.ValidationError, RecursionError, OverflowError) as error:
            self._fail(f"holds no event of the type {exported.type[:60]}: {error}")
        if event is None:
            known = f"{exported.type[:60]} of version {exported.v}"
            self._fail(f"holds an event that this release does not know ({known}): upgrade the server")
        return event

    def end(self) -> Checked:
        trailer, header = self._verifier.end(), self._verifier.header
        assert header is not None
        self._verifier.line = 1
        if not header.last_seq:
            self._fail("tells of no event")
        try:
            origin = SessionId(UUID(str(header.session.get("id"))))
        except ValueError:
            self._fail("names no session")
        left = self._steps.progress.unfinished()
        # The log may end between a message and the word that its call is over: what was said stays said.
        is_said = left.message is not None and left.message.message in self._said
        left = replace(left, message=None) if is_said else left
        return Checked(header, trailer, origin, self._lineage, left)

    def _fail(self, problem: str) -> NoReturn:
        raise BrokenExport(self._verifier.line, problem)


def _unfit(data: str) -> str | None:
    """Why no database or reader of ours would take the data of an event."""
    if "\\u0000" not in data and data.count("[") + data.count("{") <= MAX_DEPTH:
        return None
    level: list[Json] = [msgspec.json.decode(data)]
    for _ in range(MAX_DEPTH):
        if any(isinstance(one, str) and "\0" in one for one in level):
            return "holds a NUL character"
        level = [inner for outer in level for inner in _members(outer)]
        if not level:
            return None
    return f"is nested deeper than {MAX_DEPTH} levels"


def _members(value: Json) -> list[Json]:
    match value:
        case dict():
            return [*value.keys(), *value.values()]
        case list():
            return value
        case _:
            return []
