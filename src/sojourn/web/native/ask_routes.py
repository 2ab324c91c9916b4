"""The routes of asks: what a waiting turn waits for, and deciding it."""

from typing import Final

from sojourn.domain.errors import NotFound, WrongState
from sojourn.web.native import ask_wire, asks, queries, wire
from sojourn.web.native.route import AnyRoute, Route

ASKS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/sessions/{session}/asks",
        operation="list_asks",
        summary="List what the turn waits for, or was ever asked in this session",
        scope="sessions:read",
        handler=asks.page,
        query=queries.AskList,
        body=wire.Nothing,
        answers={200: ask_wire.Asks},
        errors=(NotFound,),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/asks/{ask}",
        operation="get_ask",
        summary="Read an ask",
        scope="sessions:read",
        handler=asks.get,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: ask_wire.Ask},
        errors=(NotFound,),
    ),
    Route(
        method="POST",
        path="/sessions/{session}/asks/{ask}/decide",
        operation="decide_ask",
        summary="Decide an ask; with the last one the turn goes on",
        scope="sessions:write",
        handler=asks.decide,
        query=queries.NoQuery,
        body=ask_wire.AskDecision,
        answers={200: ask_wire.Ask},
        errors=(NotFound, WrongState),
    ),
    Route(
        method="POST",
        path="/sessions/{session}/asks/decide",
        operation="decide_asks",
        summary="Decide several asks by their tool calls, all of them or none",
        scope="sessions:write",
        handler=asks.decide_calls,
        query=queries.NoQuery,
        body=ask_wire.CallDecisions,
        answers={200: ask_wire.DecidedAsks},
        errors=(NotFound, WrongState),
    ),
)
