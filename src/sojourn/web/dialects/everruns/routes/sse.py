"""The stream of a session's events."""

from typing import Final

from sojourn.domain.record import SessionRecord
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors, filters
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.log.stream import Telegraph, Wanted, disconnecting
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.dialects.everruns.wire.event_query import StreamQuery
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.sse import EventStream, open_stream

_STREAM: Final = Query(StreamQuery)


def routes(server: Server) -> Routes:
    async def sse(request: Request) -> EventStream[bytes]:
        caller = await server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        record = await server.services.sessions.get(caller.org, session)
        return await stream(server, request, record)

    return [("GET", "/sessions/{session}/sse", sse)]


async def stream(
    server: Server, request: Request, record: SessionRecord, fails_stopped: bool = False
) -> EventStream[bytes]:
    """The events of a session from where the request says, or all of them; then those to come."""
    services = server.services
    org, session = record.session.org, record.session.id
    query = _STREAM.read(request.query_string)
    wanted = Wanted(_since(request, query, record), filters.kinds(query))
    log = Log(services.feed, record, fails_stopped)
    telegraph = Telegraph(
        services.feed,
        log.subject,
        wanted,
        lambda: services.hub.partial(org, session),
        server.cycle_seconds,
    )
    items = await services.feed.stream(
        org, session, await log.turn_start(cursors.seq_of(wanted.since.sequence)) - 1
    )
    return await open_stream(server.heart, telegraph.frames(items), _as_it_is, _failed)


def _since(request: Request, query: StreamQuery, record: SessionRecord) -> cursors.Cursor:
    """A browser tells by the header what it has, whatever the address says that it began with."""
    since = filters.cursor(query, record.session.id)
    last = request.header(b"last-event-id")
    return since if not last else cursors.resolve(record.session.id, ids.parse("event", last))


def _as_it_is(frame: bytes) -> bytes:
    return frame


def _failed(_error: Exception, _request_id: str) -> bytes:
    return disconnecting("error")
