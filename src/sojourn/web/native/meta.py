"""Who asks, and whether anybody answers."""

from sojourn import __version__
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import queries, wire
from sojourn.web.native.route import Call


async def health(_request: Request) -> Response:
    return json_response(wire.Health("ok", __version__))


async def me(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    principal = call.principal
    return json_response(wire.Me(principal.org, principal.key, principal.role))
