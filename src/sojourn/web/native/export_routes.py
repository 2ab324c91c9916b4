"""The routes by which sessions leave a server as files, and come to one."""

from typing import Final

from sojourn.domain.errors import NotFound
from sojourn.web.native import exports, queries, wire
from sojourn.web.native.route import AnyRoute, Media, Route

EXPORTS: Final[tuple[AnyRoute, ...]] = (
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
