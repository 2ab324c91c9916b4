"""Handlers of the catalogue of capabilities."""

from sojourn.domain import capability as domain
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import capability_wire, queries, wire
from sojourn.web.native.route import Call

Bare = Call[queries.NoQuery, wire.Nothing]


async def page(call: Bare) -> Response:
    return json_response(capability_wire.CapabilityKinds([_kind(one) for one in call.services.catalogue]))


async def get(call: Bare) -> Response:
    return json_response(_kind(call.services.catalogue.get(call.request.params["capability"])))


def _kind(kind: domain.CapabilityKind) -> capability_wire.CapabilityKind:
    return capability_wire.CapabilityKind(
        name=kind.name,
        description=kind.description,
        config_schema=dict(kind.config_schema),
        tools=None if kind.tools is None else list(kind.tools),
        available=kind.missing is None,
        missing=kind.missing,
        note=kind.note,
    )
