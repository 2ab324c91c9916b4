"""The routes of the catalogue of capabilities."""

from typing import Final

from sojourn.domain.errors import NotFound
from sojourn.web.native import capabilities, capability_wire, queries, wire
from sojourn.web.native.route import AnyRoute, Route

CAPABILITIES: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/capabilities",
        operation="list_capabilities",
        summary="List what agents of the runner `model` can be given",
        scope="agents:read",
        handler=capabilities.page,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: capability_wire.CapabilityKinds},
    ),
    Route(
        method="GET",
        path="/capabilities/{capability}",
        operation="get_capability",
        summary="Read one kind of capability, with the schema of its configuration",
        scope="agents:read",
        handler=capabilities.get,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: capability_wire.CapabilityKind},
        errors=(NotFound,),
    ),
)
