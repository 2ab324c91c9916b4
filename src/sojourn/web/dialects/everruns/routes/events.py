"""The events of a session: lists of them, their counts, and their stream."""

from typing import Final

from sojourn.domain.record import SessionRecord
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors, filters
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.log.sequences import sequence_of
from sojourn.web.dialects.everruns.log.tallies import Tallies, Tally
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.dialects.everruns.wire.event import Event, Events
from sojourn.web.dialects.everruns.wire.event_query import EventsQuery
from sojourn.web.dialects.everruns.wire.summary import EventsSummary, TypeCount
from sojourn.web.kit.query import Query
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header, Response, json_response

WINDOW: Final = 50

_LIST: Final = Query(EventsQuery)


def routes(server: Server) -> Routes:
    events = _Events(server)
    return [
        ("GET", "/sessions/{session}/events", events.page),
        ("GET", "/sessions/{session}/events/summary", events.summary),
    ]


class _Events:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._feed = server.services.feed
        self._tallies = Tallies(server.services.feed)

    async def page(self, request: Request) -> Response:
        record = await self._record(request)
        query = _LIST.read(request.query_string)
        log = Log(self._feed, record)
        anchor = filters.anchor(query, record.session.id)
        if anchor is not None:
            found = await self._around(log, query, anchor)
        elif query.window is not None:
            raise BadRequest("goes with around", "window")
        else:
            found = await self._listed(log, query, filters.cursor(query, record.session.id))
        if query.order_desc:
            found.reverse()
        return json_response(Events(found), 200, *await self._total(record, query))

    async def _listed(self, log: Log, query: EventsQuery, since: cursors.Cursor) -> list[Event]:
        """All that the query selects, or the last `limit` of it."""
        selected = filters.selection(query, since)
        if query.limit is None:
            events = await log.between(since.sequence, query.before_sequence)
            return [event for event in events if selected.has(event)]
        if selected.tests or since is not cursors.START:
            events = await log.between(since.sequence, query.before_sequence)
            return [event for event in events if selected.has(event)][-query.limit :]
        events = await log.last(query.limit, query.before_sequence)
        return events if query.before_sequence is None else _from_turn(events)

    async def _around(self, log: Log, query: EventsQuery, anchor: cursors.Cursor) -> list[Event]:
        selected = filters.selection(query, cursors.START)
        events = [event for event in await log.between(cursors.START.sequence) if selected.has(event)]
        window = query.window or WINDOW
        place = next((at for at, event in enumerate(events) if _is_at(event, anchor)), len(events))
        found = events[max(0, place - window) : place + window + 1]
        return found if query.limit is None else found[-query.limit :]

    async def _total(self, record: SessionRecord, query: EventsQuery) -> tuple[Header, ...]:
        if query.limit is None:
            return ()
        tally = await self._tallies.of(record)
        return ((b"x-total-count", b"%d" % tally.total),)

    async def summary(self, request: Request) -> Response:
        tally = await self._tallies.of(await self._record(request))
        return json_response(_summary(tally))

    async def _record(self, request: Request) -> SessionRecord:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        return await self._server.services.sessions.get(caller.org, session)


def _summary(tally: Tally) -> EventsSummary:
    return EventsSummary(
        total=tally.total,
        turn_count=tally.types["turn.started"],
        error_count=tally.errors,
        first_ts=tally.first_ts,
        last_ts=tally.last_ts,
        by_type=[TypeCount(type, count) for type, count in sorted(tally.types.items())],
    )


def _is_at(event: Event, anchor: cursors.Cursor) -> bool:
    if anchor.id is not None:
        return filters.behind(anchor.id)(event)
    return sequence_of(event) >= anchor.sequence


def _from_turn(events: list[Event]) -> list[Event]:
    """An older page begins with a turn, where it has the beginning of one; what is before is on the next page."""
    for at, event in enumerate(events):
        if event.type == "turn.started":
            return events[at:]
    return events
