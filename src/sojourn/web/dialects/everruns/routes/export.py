"""A session's conversation as a file."""

from typing import Any, Final, Literal

import msgspec

from sojourn import __version__
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.log.trajectory import trajectory
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.kit.query import Query
from sojourn.web.kit.refusals import BadRequest, BodyTooLarge
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response

MAX_BYTES: Final = 50 * 1024 * 1024


class ExportQuery(msgspec.Struct):
    format: Literal["jsonl", "atif"] = "jsonl"
    segmented: bool = False
    cursor: str | None = None


_QUERY: Final = Query(ExportQuery)
_encode: Final = msgspec.json.Encoder().encode


def routes(server: Server) -> Routes:
    async def export(request: Request) -> Response:
        caller = await server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        query = _QUERY.read(request.query_string)
        record = await server.services.sessions.get(caller.org, session)
        log = Log(server.services.feed, record)
        id = ids.text("session", session)
        if query.format == "atif":
            events = await log.lasting()
            return _document(id, query, trajectory(id, events, __version__))
        lines = b"".join(_encode(message) + b"\n" for message in await log.messages())
        return _file(lines, b"application/x-ndjson", f"{id}.jsonl")

    return [("GET", "/sessions/{session}/export", export)]


def _document(id: str, query: ExportQuery, document: dict[str, Any]) -> Response:
    """A document is never cut into segments here, so there is no cursor to go on from."""
    if query.cursor is not None:
        raise BadRequest("is not a cursor of this export", "cursor")
    encoded = _encode(document)
    if len(encoded) > MAX_BYTES:
        raise BodyTooLarge(MAX_BYTES)
    return _file(encoded, b"application/json", f"{id}.atif.json")


def _file(data: bytes, media_type: bytes, name: str) -> Response:
    disposition = f'attachment; filename="{name}"'.encode()
    return Response(200, data, media_type, ((b"content-disposition", disposition),))
