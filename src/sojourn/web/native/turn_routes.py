"""The native API's routes of turns."""

from typing import Final

from sojourn.domain.errors import (
    NotFound,
    WrongState,
)
from sojourn.web.native import queries, turn_wire, turns, wire
from sojourn.web.native.route import AnyRoute, Route

TURNS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/sessions/{session}/turns",
        operation="list_turns",
        summary="List turns in the order in which they were opened",
        scope="sessions:read",
        handler=turns.page,
        query=queries.Page,
        body=wire.Nothing,
        answers={200: turn_wire.Turns},
        errors=(NotFound,),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/turns/{turn}",
        operation="get_turn",
        summary="Read a turn",
        scope="sessions:read",
        handler=turns.get,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: turn_wire.Turn},
        errors=(NotFound,),
    ),
    Route(
        method="POST",
        path="/sessions/{session}/turns/{turn}/cancel",
        operation="cancel_turn",
        summary="Stop a turn that has not ended",
        scope="sessions:write",
        handler=turns.cancel,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: turn_wire.Turn},
        errors=(NotFound, WrongState),
    ),
    Route(
        method="POST",
        path="/sessions/{session}/interrupt",
        operation="interrupt_session",
        summary="Stop the turn that is at work, if one is",
        scope="sessions:write",
        handler=turns.interrupt,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: turn_wire.Interrupted},
        errors=(NotFound,),
    ),
)
