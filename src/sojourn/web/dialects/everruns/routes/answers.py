"""What people say to the questions of an agent, and to its calls that somebody has to allow."""

from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.answering import Answering
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response


def routes(server: Server) -> Routes:
    answers = _Answers(server)
    return [
        ("POST", "/sessions/{session}/question-answers", answers.answer),
        ("POST", "/sessions/{session}/tool-approvals", answers.approve),
    ]


class _Answers:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._answering = Answering(server)

    async def answer(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        return await self._answering.answer(request, caller, ids.session(request.params["session"]))

    async def approve(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        return await self._answering.approve(request, caller, ids.session(request.params["session"]))
