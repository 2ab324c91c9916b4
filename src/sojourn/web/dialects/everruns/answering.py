"""Answers questions and settles approvals of a session, whoever's door they came through."""

from collections.abc import Collection, Sequence
from typing import Final

from sojourn.domain.ask import Ask
from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import AskKind
from sojourn.web.dialects.everruns import answers
from sojourn.web.dialects.everruns.answers import AlreadyResolved, NothingPending
from sojourn.web.dialects.everruns.server import Caller, Server
from sojourn.web.dialects.everruns.wire import answer as wire
from sojourn.web.kit.body import JsonBody
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_ANSWERS: Final = JsonBody(wire.QuestionAnswers)
_APPROVALS: Final = JsonBody(wire.ToolApprovals)
# A model asks for no more at once, and a session has hardly more asks in all its turns.
MOST: Final = 1_000


class Answering:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._asks = server.services.asks

    async def answer(self, request: Request, caller: Caller, session: SessionId) -> Response:
        said = await self._server.body(request, _ANSWERS)
        named = frozenset[str]() if said.tool_call_id is None else frozenset({said.tool_call_id})
        pending = await self._pending(caller, session, "question", named)
        ask = next(ask for ask in pending if not named or answers.call_id(ask) in named)
        try:
            await self._asks.decide(caller.org, session, ask.id, answers.answer(ask, said), caller.by)
        except WrongState:
            raise AlreadyResolved("question") from None
        return json_response(wire.Answered(said.status, "user", "active"))

    async def approve(self, request: Request, caller: Caller, session: SessionId) -> Response:
        said = await self._server.body(request, _APPROVALS)
        decided = answers.outcomes(said)
        pending = await self._pending(caller, session, "approval", decided.keys())
        try:
            await self._asks.decide_many(caller.org, session, answers.verdicts(pending, decided), caller.by)
        except (WrongState, NotFound):
            raise AlreadyResolved("approval") from None
        return json_response(answers.resolved(pending, decided))

    async def pending(self, caller: Caller, session: SessionId) -> Sequence[Ask]:
        return await self._asks.list(caller.org, session, open_only=True, after=None, limit=MOST)

    async def _pending(
        self, caller: Caller, session: SessionId, kind: AskKind, named: Collection[str]
    ) -> Sequence[Ask]:
        """The open asks of a kind, `named` among them; there is one at least."""
        pending = [ask for ask in await self.pending(caller, session) if ask.kind == kind]
        missing = set(named) - {answers.call_id(ask) for ask in pending}
        if missing:
            every = await self._asks.list(caller.org, session, open_only=False, after=None, limit=MOST)
            if missing & {answers.call_id(ask) for ask in every if ask.kind == kind}:
                raise AlreadyResolved(kind)
        if missing or not pending:
            raise NothingPending(kind)
        return pending
