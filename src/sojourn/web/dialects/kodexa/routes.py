"""Kodexa's paths, each with its handler."""

from collections.abc import Sequence
from typing import Final

from sojourn.domain.actor import Actor
from sojourn.domain.errors import Unauthenticated
from sojourn.domain.filter import SessionQuery
from sojourn.domain.ids import OrgId
from sojourn.domain.record import Principal, SessionRecord
from sojourn.service.core import Services
from sojourn.web.dialects.kodexa import inbound, outbound, wire
from sojourn.web.dialects.kodexa.errors import PROBLEMS
from sojourn.web.dialects.kodexa.facet import DIALECT
from sojourn.web.kit.auth import Scope, require
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.kit.surface import Surface

SESSIONS: Final = "/api/orchestrator-agent-sessions"
ME: Final = "/api/account/me"
OVERVIEW: Final = "/api/overview"

_NEW: Final = JsonBody(wire.NewSession)
_CHANGED: Final = JsonBody(wire.ChangedSession)
_LIST: Final = Query(wire.ListQuery)


def build_kodexa(services: Services, max_body_bytes: int) -> Surface:
    """The dialect as an application, which sees its paths whole. No slash is ever answered by a redirect."""
    kodexa = Kodexa(services, max_body_bytes)
    routes = [
        *(("POST", path, kodexa.create) for path in (SESSIONS, SESSIONS + "/")),
        *(("GET", path, kodexa.page) for path in (SESSIONS, SESSIONS + "/")),
        ("GET", f"{SESSIONS}/{{session}}", kodexa.get),
        ("PUT", f"{SESSIONS}/{{session}}", kodexa.update),
        ("DELETE", f"{SESSIONS}/{{session}}", kodexa.delete),
        ("GET", ME, kodexa.me),
        ("GET", OVERVIEW, kodexa.overview),
    ]
    return Surface(routes, PROBLEMS)


class Kodexa:
    def __init__(self, services: Services, max_body_bytes: int) -> None:
        self._sessions = services.sessions
        self._access = services.access
        self._max_body_bytes = max_body_bytes

    async def create(self, request: Request) -> Response:
        principal = await self._principal(request, "sessions:write")
        data = await read_body(request, self._max_body_bytes)
        new = inbound.new_session(_NEW.decode(data), self._max_body_bytes)
        again = repeat(request, principal.key, "kodexa.create", data)
        result = await self._sessions.create(principal.org, new, _by(principal), again)
        return json_response(outbound.session(result.value), 201, *replayed(result))

    async def page(self, request: Request) -> Response:
        principal = await self._principal(request, "sessions:read")
        query = inbound.page(_LIST.read(request.query_string), principal.org)
        records = await self._sessions.list(principal.org, query)
        total = await self._total(principal.org, query, records)
        return json_response(outbound.page(records, query, total))

    async def _total(self, org: OrgId, query: SessionQuery, records: Sequence[SessionRecord]) -> int:
        """A page that is not full is the last, and tells the total by itself; one behind the end does not."""
        if len(records) < query.limit and (records or not query.offset):
            return query.offset + len(records)
        return await self._sessions.count(org, query.where)

    async def get(self, request: Request) -> Response:
        principal = await self._principal(request, "sessions:read")
        session = inbound.session_id(request.params["session"])
        return json_response(outbound.session(await self._sessions.get(principal.org, session, DIALECT)))

    async def update(self, request: Request) -> Response:
        principal = await self._principal(request, "sessions:write")
        session = inbound.session_id(request.params["session"])
        changed = _CHANGED.decode(await read_body(request, self._max_body_bytes))
        change = inbound.change(changed, self._max_body_bytes)
        record = await self._sessions.update(
            principal.org, session, change, _by(principal), changed.change_sequence
        )
        return json_response(outbound.session(record))

    async def delete(self, request: Request) -> Response:
        principal = await self._principal(request, "sessions:write")
        session = inbound.session_id(request.params["session"])
        await self._sessions.delete(principal.org, session, _by(principal))
        return NO_CONTENT

    async def me(self, request: Request) -> Response:
        return json_response(outbound.user(await self._principal(request)))

    async def overview(self, request: Request) -> Response:
        # The client asks here whether its key is good.
        await self._principal(request)
        return json_response(outbound.overview())

    async def _principal(self, request: Request, scope: Scope | None = None) -> Principal:
        """Who asks. `x-api-key` is preferred; the shipped client still sends `x-access-token` only."""
        token = request.header(b"x-api-key") or request.header(b"x-access-token")
        if not token:
            raise Unauthenticated
        principal = await self._access.authenticate(token)
        if scope is not None:
            require(principal, scope)
        return principal


def _by(principal: Principal) -> Actor:
    return Actor("human", principal.key)
