"""The eight calls of `/api/active-sessions`: who asks, which call it is, what it does."""

from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from sojourn.domain.actor import Actor
from sojourn.domain.ids import OrgId
from sojourn.domain.kinds import Json
from sojourn.domain.record import Principal
from sojourn.service.core import Services
from sojourn.web.dialects.agent_swarm import inbound, outbound, wire
from sojourn.web.dialects.agent_swarm.cors import with_cors
from sojourn.web.dialects.agent_swarm.errors import PROBLEMS
from sojourn.web.dialects.agent_swarm.listing import Listing
from sojourn.web.kit.auth import Scope, require
from sojourn.web.kit.body import parse_json, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.refusals import ClientGone, UnknownPath
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import JSON, NO_CONTENT, Response, json_response
from sojourn.web.kit.surface import answered

_UPDATED: Final = {known: json_response(wire.Updated(known)) for known in (True, False)}
_DELETED: Final = {known: json_response(wire.Deleted(known)) for known in (True, False)}
_NOT_THE_CALLER: Final = json_response(
    wire.Error("Can only recover orphaned tasks for the calling agent"), 403
)


@dataclass(frozen=True, slots=True)
class Call:
    """An authenticated request."""

    services: Services
    request: Request
    principal: Principal
    max_body_bytes: int

    @property
    def org(self) -> OrgId:
        return self.principal.org

    @property
    def by(self) -> Actor:
        return Actor("human", self.principal.key)

    def allow(self, scope: Scope) -> None:
        require(self.principal, scope)

    async def data(self) -> bytes:
        return await read_body(self.request, self.max_body_bytes)

    async def body(self) -> Json:
        """JSON, whatever type of content it is said to be; a blank body is an empty object."""
        return read_json(await self.data())


class AgentSwarm:
    """The dialect as an application. Its paths need no table: they are read off below."""

    def __init__(self, services: Services, max_body_bytes: int) -> None:
        self._services = services
        self._max_body_bytes = max_body_bytes
        self._listing = Listing()

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await answered(self._answer, request, PROBLEMS)
        except ClientGone:
            return
        await with_cors(response, request).write(request, send)

    async def _answer(self, request: Request) -> Response:
        """Without a key there is nothing here, not even a path that is unknown; but any browser may ask ahead."""
        if request.method == "OPTIONS":
            return NO_CONTENT
        token = inbound.token(request.header(b"authorization"))
        principal = await self._services.access.authenticate(token)
        call = Call(self._services, request, principal, self._max_body_bytes)
        segments = inbound.segments(request.rest)
        match request.method:
            case "GET" if not segments:
                return await list_sessions(call, self._listing)
            case "POST":
                return await post(call, segments)
            case "PUT":
                return await put(call, segments)
            case "DELETE":
                return await delete(call, segments)
            case _:
                raise UnknownPath


async def post(call: Call, segments: list[bytes]) -> Response:
    match segments:
        case []:
            return await create(call)
        case [b"cleanup"]:
            return await cleanup(call)
        case [b"recover-orphaned-tasks"]:
            return await recover_orphaned_tasks(call)
        case _:
            raise UnknownPath


async def put(call: Call, segments: list[bytes]) -> Response:
    match segments:
        case [b"heartbeat", task]:
            return await heartbeat(call, inbound.text(task))
        case [b"provider-session", task]:
            return await provider_session(call, inbound.text(task))
        case _:
            raise UnknownPath


async def delete(call: Call, segments: list[bytes]) -> Response:
    match segments:
        case [b"by-task", task]:
            return await delete_by_task(call, inbound.text(task))
        case [session]:
            return await delete_by_id(call, session)
        case _:
            raise UnknownPath


async def list_sessions(call: Call, listing: Listing) -> Response:
    """All of them, newest first, in one answer: that is what its clients expect."""
    call.allow("sessions:read")
    roster = await call.services.rosters.read(call.org)
    listed = listing.read(call.org, roster, inbound.agent_filter(call.request.query_string))
    etag = (b"etag", listed.etag)
    if inbound.is_known(listed.etag, call.request.header(b"if-none-match")):
        return Response(304, b"", None, (etag,))
    return Response(200, listed.body, JSON, (etag,))


async def create(call: Call) -> Response:
    call.allow("sessions:write")
    data = await call.data()
    facet = inbound.new_facet(read_json(data))
    again = repeat(call.request, call.principal.key, "agent_swarm.create", data)
    result = await call.services.sessions.create(call.org, inbound.new_session(facet), call.by, again)
    session = result.value.session
    row = outbound.session(session.id, facet, session.created_at, session.created_at)
    return json_response(wire.Created(row), 201, *replayed(result))


async def delete_by_id(call: Call, segment: bytes) -> Response:
    """Of any session that is listed, wherever it was made."""
    call.allow("sessions:write")
    session = inbound.session_id(segment)
    if session is None:
        return _DELETED[False]
    was_driven = await call.services.driven.finish(
        call.org, session, "deleted", call.by, wire.DIALECT, inbound.name_of
    )
    return _DELETED[was_driven]


async def delete_by_task(call: Call, task: str | None) -> Response:
    call.allow("sessions:write")
    if task is None:
        return _DELETED[False]
    name = inbound.task_name(task)
    return _DELETED[await call.services.driven.finish_named(call.org, name, "deleted", call.by)]


async def heartbeat(call: Call, task: str | None) -> Response:
    """The body is not read: clients send none, or anything."""
    call.allow("presence:write")
    if task is None:
        return _UPDATED[False]
    name = inbound.task_name(task)
    return _UPDATED[await call.services.presences.beat(call.org, name, inbound.HOLDER)]


async def provider_session(call: Call, task: str | None) -> Response:
    """No sign of life: a session that is told of its provider's only is swept all the same."""
    call.allow("sessions:write")
    id = inbound.provider_session_id(await call.body())
    if task is None:
        return _UPDATED[False]

    def change(facet: str) -> str:
        return inbound.with_provider_session(facet, id)

    name = inbound.task_name(task)
    return _UPDATED[await call.services.driven.amend(call.org, name, wire.DIALECT, change, call.by)]


async def cleanup(call: Call) -> Response:
    call.allow("sessions:write")
    wanted = inbound.cleanup(await call.body())
    roster = await call.services.rosters.read(call.org)
    sessions = inbound.swept(wanted, roster, call.services.clock.now())
    cleaned = await call.services.driven.sweep(
        call.org, sessions, inbound.sweep(wanted), call.by, wire.DIALECT, inbound.name_of
    )
    return json_response(wire.Cleaned(cleaned))


async def recover_orphaned_tasks(call: Call) -> Response:
    """Tasks are agent-swarm's own and not kept here, so none is ever orphaned."""
    agent = inbound.orphans_of(await call.body())
    if call.request.header(b"x-agent-id") != agent:
        return _NOT_THE_CALLER
    return json_response(wire.Recovered())


def read_json(data: bytes) -> Json:
    return parse_json(data) if data.strip() else {}
