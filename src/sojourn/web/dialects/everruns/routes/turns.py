"""The turn that runs: cancelled, or gone on with what a client's tools gave."""

import json
from typing import Final

from sojourn.domain.errors import InvalidRequest, NotFound, WrongState
from sojourn.domain.ids import AskId, SessionId
from sojourn.service.asks import Verdict
from sojourn.web.dialects.everruns import ids, status
from sojourn.web.dialects.everruns.calls import CLIENTS, call_id
from sojourn.web.dialects.everruns.errors import NotWaiting
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.wire.message import AcceptedResults, Cancelled, ToolResult, ToolResults
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_RESULTS: Final = JsonBody(ToolResults)
# A model asks for no more at once.
MOST: Final = 1_000

NO_TURN: Final = Cancelled("no_op", "No turn currently running")


def routes(server: Server) -> Routes:
    turns = _Turns(server)
    return [
        ("POST", "/sessions/{session}/cancel", turns.cancel),
        ("POST", "/sessions/{session}/tool-results", turns.results),
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

    async def results(self, request: Request) -> Response:
        """Results for calls that wait for them. Others are left out, and `accepted` counts those that were not."""
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        data = await read_body(request, self._server.max_body_bytes)
        said = _RESULTS.decode(data)
        pending = await self._pending(caller, session)
        again = repeat(request, caller.key, "everruns.tool-results", data)
        given = {each.tool_call_id: verdict(each) for each in said.tool_results}
        verdicts = {pending[call]: each for call, each in given.items() if call in pending}
        if not pending and again is None:
            raise await self._not_waiting(caller, session)
        if not verdicts and again is None:
            raise InvalidRequest("tool_results", "none of them is for a call that waits for its result")
        try:
            result = await self._services.asks.decide_many(caller.org, session, verdicts, caller.by, again)
        except (WrongState, NotFound):
            # Somebody else was faster, or nothing waited.
            raise await self._not_waiting(caller, session) from None
        left = pending.keys() - given.keys()
        if left:
            # Others may have brought the rest in the meantime.
            left &= (await self._pending(caller, session)).keys()
        answer = AcceptedResults(len(result.value), "waitingfortoolresults" if left else "active")
        return json_response(answer, 200, *replayed(result))

    async def _pending(self, caller: Caller, session: SessionId) -> dict[str, AskId]:
        """The asks that a client answers with a result, by what their calls were told as.

        A model may give two calls one id: the older ask is answered first.
        """
        asks = await self._services.asks.list(caller.org, session, open_only=True, after=None, limit=MOST)
        return {call_id(ask.id, ask.prompt): ask.id for ask in reversed(asks) if ask.kind in CLIENTS}

    async def _not_waiting(self, caller: Caller, session: SessionId) -> NotWaiting:
        record = await self._services.sessions.get(caller.org, session)
        spans = await self._services.sessions.turn_spans(caller.org, [session])
        return NotWaiting(status.shown(record.session, spans.get(session)))


def verdict(said: ToolResult) -> Verdict:
    """What the service reads of an answer: an error is an object that holds nothing else. A result that looks like one

    is no error for that, so it goes as the text that is made of it anyway.
    """
    if said.error is not None:
        return Verdict("answer", {"error": said.error})
    match said.result:
        case {"error": _, **others} if not others:
            return Verdict("answer", json.dumps(said.result, ensure_ascii=False))
        case _:
            return Verdict("answer", said.result)
