"""The turn that runs: cancelled, or gone on with what a client's tools gave."""

from typing import Final

from sojourn.domain.errors import WrongState
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.dialects.everruns.wire.message import Cancelled
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

NO_TURN: Final = Cancelled("no_op", "No turn currently running")


def routes(server: Server) -> Routes:
    turns = _Turns(server)
    return [
        ("POST", "/sessions/{session}/cancel", turns.cancel),
    ]


class _Turns:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._services = server.services

    async def cancel(self, request: Request) -> Response:
        """Cancel the turn that is open now, though it may not run yet; nothing to cancel is no failure."""
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        record = await self._services.sessions.get(caller.org, session)
        turn = record.session.open_turn
        if turn is None:
            return json_response(NO_TURN)
        try:
            await self._services.turns.cancel(caller.org, session, turn, caller.by)
        except WrongState:
            # It ended by itself in between.
            return json_response(NO_TURN)
        return json_response(Cancelled("cancelled", "Turn cancelled successfully"))
