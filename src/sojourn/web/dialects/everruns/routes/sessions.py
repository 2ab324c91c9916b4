"""Sessions themselves."""

from sojourn.web.dialects.everruns import ids, outbound
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response


def routes(server: Server) -> Routes:
    sessions = _Sessions(server)
    return [("GET", "/sessions/{session}", sessions.get)]


class _Sessions:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions = server.services.sessions

    async def get(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        return json_response(outbound.session(await self._sessions.get(caller.org, session)))
