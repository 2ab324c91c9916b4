"""A route of the table as an endpoint: who asks, what they may, what they say, then the handler."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from sojourn.domain.file import MAX_FILE_BYTES
from sojourn.web.kit.auth import bearer_token, require
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.conditions import expected_revision
from sojourn.web.kit.idempotency import repeat
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Reply
from sojourn.web.native.route import Call, RawBody, Route, Server, StreamedBody

Q = TypeVar("Q", bound=msgspec.Struct)
B = TypeVar("B", bound=msgspec.Struct)


class Operation(Generic[Q, B]):
    """The same steps for every route, in this order: key, scope, query, condition, body, idempotency key."""

    def __init__(self, route: Route[Q, B], server: Server) -> None:
        self._route = route
        self._server = server
        self._access = server.services.access
        self._query = Query(route.query, route.gathers)
        # A raw body is a struct around the bytes as they came.
        self._decode: Callable[[bytes], B] = (
            route.body if route.body is RawBody else JsonBody(route.body).decode
        )
        self._limit = MAX_FILE_BYTES if route.body is RawBody else server.max_body_bytes
        self._no_body = self._decode(b"") if route.method in ("GET", "DELETE") else None

    async def __call__(self, request: Request) -> Reply:
        route = self._route
        principal = await self._access.authenticate(bearer_token(request))
        require(principal, route.scope)
        query = self._query.read(request.query_string)
        expected = expected_revision(request) if route.conditional else None
        if self._no_body is not None:
            return await route.handler(Call(self._server, request, principal, query, self._no_body, expected))
        if route.body is StreamedBody:
            return await route.handler(Call(self._server, request, principal, query, route.body(), expected))
        data = await read_body(request, self._limit)
        body = self._decode(data)
        again = repeat(request, principal.key, route.operation, data) if route.method == "POST" else None
        return await route.handler(Call(self._server, request, principal, query, body, expected, again))
