"""The native API as an application."""

from collections.abc import Iterator

from sojourn.service.core import Services
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response
from sojourn.web.kit.router import Endpoint
from sojourn.web.kit.sse import Heart
from sojourn.web.kit.surface import Surface
from sojourn.web.native.errors import PROBLEMS
from sojourn.web.native.openapi import document
from sojourn.web.native.operation import Operation
from sojourn.web.native.route import Server
from sojourn.web.native.routes import PUBLIC, ROUTES


def build_native(services: Services, heart: Heart, max_body_bytes: int) -> Surface:
    return Surface(_endpoints(Server(services, heart, max_body_bytes)), PROBLEMS)


def _endpoints(server: Server) -> Iterator[tuple[str, str, Endpoint]]:
    for route in ROUTES:
        yield route.method, route.path, Operation(route, server)
    for public in PUBLIC:
        yield "GET", public.path, public.handler
    yield "GET", "/openapi.json", _openapi()


def _openapi() -> Endpoint:
    # Made once a process, and only there where somebody asks: it takes longer than the rest of the start-up.
    made: list[Response] = []

    async def openapi(_request: Request) -> Response:
        if not made:
            made.append(Response(200, document(PUBLIC, ROUTES)))
        return made[0]

    return openapi
