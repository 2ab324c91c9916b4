"""The native API's routes of inputs."""

from typing import Final

from sojourn.domain.errors import (
    LimitExceeded,
    NotFound,
    RevisionMismatch,
    WrongState,
)
from sojourn.web.native import inputs, queries, turn_wire, wire
from sojourn.web.native.route import AnyRoute, Media, Route

INPUTS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="POST",
        path="/sessions/{session}/inputs",
        operation="send_input",
        summary="Send a message",
        scope="sessions:write",
        handler=inputs.send,
        query=queries.NoQuery,
        body=turn_wire.NewInput,
        answers={202: turn_wire.Input},
        errors=(NotFound, WrongState, LimitExceeded),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/inputs",
        operation="list_inputs",
        summary="List inputs in the order in which they came",
        scope="sessions:read",
        handler=inputs.page,
        query=queries.InputList,
        body=wire.Nothing,
        answers={200: turn_wire.Inputs},
        errors=(NotFound,),
    ),
    Route(
        method="GET",
        path="/sessions/{session}/inputs/{input}",
        operation="get_input",
        summary="Read an input",
        scope="sessions:read",
        handler=inputs.get,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: turn_wire.Input},
        errors=(NotFound,),
    ),
    Route(
        method="PATCH",
        path="/sessions/{session}/inputs/{input}",
        operation="edit_input",
        summary="Change an input that still waits",
        scope="sessions:write",
        handler=inputs.edit,
        query=queries.NoQuery,
        body=turn_wire.InputChange,
        answers={200: turn_wire.Input},
        errors=(NotFound, WrongState, RevisionMismatch),
        conditional=True,
    ),
    Route(
        method="DELETE",
        path="/sessions/{session}/inputs/{input}",
        operation="withdraw_input",
        summary="Take back an input that still waits",
        scope="sessions:write",
        handler=inputs.withdraw,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={204: Media.NONE},
        errors=(NotFound, WrongState),
    ),
)
