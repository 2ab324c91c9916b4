"""Which events a client asked for. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import Json
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.types import is_known
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire.event import Event
from sojourn.web.dialects.everruns.wire.event_query import EventsQuery, StreamQuery
from sojourn.web.kit.refusals import BadRequest

MOST_TYPES: Final = 64

Test = Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Kinds:
    """`types` narrows first, then `exclude` takes away; no types are all."""

    types: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()

    def has(self, type: str) -> bool:
        return (not self.types or type in self.types) and type not in self.exclude

    @property
    def is_everything(self) -> bool:
        return not self.types and not self.exclude


def kinds(query: StreamQuery) -> Kinds:
    return Kinds(_known("types", query.types), _known("exclude", query.exclude))


def _known(name: str, types: Sequence[str]) -> frozenset[str]:
    if len(types) > MOST_TYPES:
        raise BadRequest(f"must not have more than {MOST_TYPES} values", name)
    for type in types:
        if not is_known(type):
            raise BadRequest(f"unknown event type '{type[:100]}'", name)
    return frozenset(types)


def cursor(query: StreamQuery, session: SessionId) -> cursors.Cursor:
    """Behind which event to begin; the start of the log where the query names none."""
    if query.since_id is not None and query.after_sequence is not None:
        raise BadRequest("cannot be combined with after_sequence", "since_id")
    if query.since_id is not None:
        return cursors.resolve(session, ids.parse("event", query.since_id))
    if query.after_sequence:
        return cursors.Cursor(query.after_sequence)
    return cursors.START


def anchor(query: EventsQuery, session: SessionId) -> cursors.Cursor | None:
    """The event to show what is around of, if the query asks for that."""
    if query.around is None:
        return None
    others = {
        "since_id": query.since_id,
        "after_sequence": query.after_sequence,
        "before_sequence": query.before_sequence,
    }
    for name, value in others.items():
        if value is not None:
            raise BadRequest(f"cannot be combined with {name}", "around")
    return cursors.resolve(session, ids.parse("event", query.around))


@dataclass(frozen=True, slots=True)
class Selection:
    tests: tuple[Test, ...] = field(default_factory=tuple[Test, ...])

    def has(self, event: Event) -> bool:
        return all(test(event) for test in self.tests)


def selection(query: EventsQuery, since: cursors.Cursor) -> Selection:
    tests: list[Test] = []
    wanted = kinds(query)
    if not wanted.is_everything:
        tests.append(lambda event: wanted.has(event.type))
    if since.id is not None:
        tests.append(behind(since.id))
    if query.turn_id is not None:
        turn = ids.text("turn", ids.parse("turn", query.turn_id))
        tests.append(lambda event: event.context.turn_id == turn)
    if query.exec_id is not None:
        tests.append(lambda event: event.context.exec_id == query.exec_id)
    if query.trace_id is not None:
        tests.append(lambda event: event.context.trace_id == query.trace_id)
    if query.tags:
        tags = set(query.tags)
        tests.append(lambda event: isinstance(event.tags, list) and not tags.isdisjoint(event.tags))
    if query.tool_name is not None:
        tests.append(lambda event: _tool_name(event) == query.tool_name)
    tests.extend(_times(query.from_ts, query.to_ts))
    if query.q is not None:
        tests.append(_mentions(query.q))
    return Selection(tuple(tests))


def behind(id: UUID) -> Test:
    """Whether an event is younger than an id that is none of this log's."""
    text = ids.text("event", id)
    return lambda event: event.id > text


def _times(start: datetime | None, end: datetime | None) -> list[Test]:
    """Both bounds are inclusive; stamps are all of one length, so they compare as texts."""
    tests: list[Test] = []
    if start is not None:
        first = _utc("from_ts", start)
        tests.append(lambda event: event.ts >= first)
    if end is not None:
        last = _utc("to_ts", end)
        tests.append(lambda event: event.ts <= last)
    return tests


def _utc(name: str, instant: datetime) -> str:
    try:
        return stamp(instant.astimezone(UTC))
    except OverflowError:
        raise BadRequest("is out of range", name) from None


def _tool_name(event: Event) -> Json:
    name = event.data.get("tool_name")
    if name is None and isinstance(call := event.data.get("tool_call"), dict):
        return call.get("name")
    return name


def _mentions(text: str) -> Test:
    """Every word occurs somewhere in what the event says, in any case."""
    words = text.lower().split()

    def test(event: Event) -> bool:
        said = msgspec.json.encode(event.data).decode().lower()
        return all(word in said for word in words)

    return test
