"""The runtime's paths, each with its handler. They are read as they come: an ARN has encoded slashes and colons."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final
from uuid import uuid4

from sojourn.domain.actor import Actor
from sojourn.domain.errors import InvalidRequest, Unauthenticated
from sojourn.domain.record import Principal
from sojourn.service.core import Services
from sojourn.service.invocations import TurnItem
from sojourn.web.dialects.agentcore import inbound, outbound, wire
from sojourn.web.dialects.agentcore.answer import Answer, Piece
from sojourn.web.dialects.agentcore.errors import PROBLEMS, request_id, stream_failure, told
from sojourn.web.dialects.agentcore.payload import new_input
from sojourn.web.dialects.agentcore.refusals import NotOffered
from sojourn.web.kit.auth import require
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import idempotency_key, replayed
from sojourn.web.kit.patience import unless_gone
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header, Reply, json_response
from sojourn.web.kit.router import Endpoint
from sojourn.web.kit.sse import Heart, open_stream
from sojourn.web.kit.surface import Surface

# The vendor's own limit of a payload, whatever that of other surfaces is.
PAYLOAD_LIMIT: Final = 100_000_000
# A stop is a token, or nothing.
STOP_LIMIT: Final = 64 * 1024

_STOP: Final = JsonBody(wire.Stop)
_QUERY: Final = Query(wire.Query)


def build_agentcore(services: Services, heart: Heart) -> Surface:
    """The dialect as an application, below `/runtimes`."""
    runtime = Runtime(services, heart)
    verbs: list[tuple[str, str, Endpoint]] = [
        ("POST", "invocations", runtime.invoke),
        ("POST", "stopruntimesession", runtime.stop),
        ("POST", "commands", runtime.commands),
        ("GET", "invocations/.well-known/agent-card.json", runtime.agent_card),
        ("GET", "ws", runtime.websocket),
    ]
    # Clients that are not the vendor's leave the one slash of an ARN as it is.
    places = ("/{arn}", "/{arn}/{id}")
    return Surface([(method, f"{at}/{path}", end) for method, path, end in verbs for at in places], PROBLEMS)


class Runtime:
    def __init__(self, services: Services, heart: Heart) -> None:
        self._access = services.access
        self._agents = services.agents
        self._invocations = services.invocations
        self._heart = heart

    async def invoke(self, request: Request) -> Reply:
        principal = await self._principal(request)
        named = inbound.session_id(request.header)
        arn, query = _arn(request), _QUERY.read(request.query_string)
        agent = await self._agents.first_known(principal.org, inbound.agent_names(arn))
        new = inbound.new_session(arn, agent, query, request.header)
        payload = await read_body(request, PAYLOAD_LIMIT)
        input = new_input(payload)
        sdk = request.header(b"amz-sdk-invocation-id")
        repeat = inbound.repeat(principal.key, idempotency_key(request), sdk, named, payload)
        called = named or str(uuid4())
        result = await self._invocations.invoke(principal.org, called, new, input, _by(principal), repeat)
        invoked = result.value
        items = await self._invocations.follow(principal.org, invoked.session, invoked.input)
        headers = [*_headers(request, invoked.alias), *replayed(result)]
        if inbound.wants_stream(request.header(b"accept")):
            opening = open_stream(self._heart, _pieces(items), outbound.line, stream_failure, headers)
            return await unless_gone(request, opening)
        answer = await unless_gone(request, _whole(items))
        return json_response(outbound.whole(answer), 200, *headers)

    async def stop(self, request: Request) -> Reply:
        principal = await self._principal(request)
        session = inbound.session_id(request.header)
        if session is None:
            raise InvalidRequest("runtimeSessionId", "required")
        _QUERY.read(request.query_string)
        stop = _STOP.decode(await read_body(request, STOP_LIMIT))
        repeat = inbound.repeated_stop(principal.key, stop, session)
        await self._invocations.stop(principal.org, session, "completed", _by(principal), repeat)
        return json_response({}, 200, *_headers(request, session))

    async def commands(self, request: Request) -> Reply:
        await self._principal(request)
        raise NotOffered("commands in a session")

    async def agent_card(self, request: Request) -> Reply:
        await self._principal(request)
        raise NotOffered("agent card")

    async def websocket(self, request: Request) -> Reply:
        await self._principal(request)
        raise NotOffered("WebSocket")

    async def _principal(self, request: Request) -> Principal:
        token = inbound.token(request.header, request.query_string)
        if token is None:
            raise Unauthenticated
        principal = await self._access.authenticate(token)
        require(principal, "sessions:write")
        return principal


async def _whole(items: AsyncGenerator[TurnItem]) -> Answer:
    """The answer of a turn that has ended, or waits."""
    answer = Answer()
    async with aclosing(items):
        async for item in items:
            answer.take(item)
    if answer.error is not None:
        raise answer.error
    return answer


async def _pieces(
    items: AsyncGenerator[TurnItem],
) -> AsyncGenerator[Piece | wire.Waiting | wire.StreamFailure]:
    """The same as it comes. A failure before the first piece can still be answered, and one behind it only told."""
    answer, is_empty = Answer(), True
    async with aclosing(items):
        async for item in items:
            for piece in answer.take(item):
                is_empty = False
                yield piece
    if answer.waiting is not None:
        yield wire.Waiting(answer.waiting)
    elif answer.error is not None:
        if is_empty:
            raise answer.error
        yield told(answer.error)


def _arn(request: Request) -> str:
    return "/".join(request.params.values())


def _headers(request: Request, session: str) -> list[Header]:
    return [request_id(request.id), *outbound.headers(session, request.header)]


def _by(principal: Principal) -> Actor:
    return Actor("human", principal.key)
