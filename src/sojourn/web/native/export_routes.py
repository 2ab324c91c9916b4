"""The routes by which sessions leave a server as files, and come to one."""

from typing import Final

from sojourn.domain.errors import AlreadyExists, InvalidRequest, NotFound
from sojourn.web.native import exports, queries, session_wire, wire
from sojourn.web.native.route import AnyRoute, Media, Route, StreamedBody

EXPORTS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="POST",
        path="/sessions/import",
        operation="import_session",
        summary="Make a session of an exported one, whose log it continues",
        scope="sessions:write",
        handler=exports.import_session,
        query=queries.Import,
        body=StreamedBody,
        answers={201: session_wire.CreatedSession, 200: session_wire.CreatedSession},
        errors=(AlreadyExists, InvalidRequest),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/export",
        operation="export_session",
        summary="Read a session as JSON lines that a chain of digests holds together",
        scope="sessions:read",
        handler=exports.export,
        query=queries.Export,
        body=wire.Nothing,
        answers={200: Media.LINES},
        errors=(NotFound,),
    ),
)
