"""One agent for whoever may call it: its card, its sessions, their messages and events."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.agent import Agent
from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.filter import All, SessionQuery
from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.service.sessions import NewSession
from sojourn.web.dialects.everruns import channels, ids, inbound_messages, starter_files, wire
from sojourn.web.dialects.everruns.agent_facet import DIALECT
from sojourn.web.dialects.everruns.answering import Answering
from sojourn.web.dialects.everruns.channels import AgentUnavailable, NoRuntimeTokens
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.routes.sse import stream
from sojourn.web.dialects.everruns.routes.turns import NO_TURN
from sojourn.web.dialects.everruns.sender import Sender
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.wire.message import Cancelled, NewMessage
from sojourn.web.kit.auth import Scope
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.query import Query
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response
from sojourn.web.kit.sse import EventStream

_NEW: Final = JsonBody(wire.NewChannelSession)
_MESSAGE: Final = JsonBody(NewMessage)
_LIST: Final = Query(wire.ChannelSessions)
_EVENTS: Final = Query(wire.ChannelEvents)


class Place(msgspec.Struct, array_like=True, frozen=True):
    """The last session of a page."""

    active_at: datetime
    id: UUID


_TOKENS: Final = Cursors("everruns.channel", Place)


class Door(msgspec.Struct, frozen=True):
    """Who calls which agent, and for whom."""

    caller: Caller
    agent: Agent
    end_user: str | None


def routes(server: Server) -> Routes:
    channels = _Channels(server)
    base, one = "/channels/{channel}", "/channels/{channel}/sessions/{session}"
    return [
        ("GET", base, channels.card),
        ("POST", f"{base}/sessions", channels.create),
        ("GET", f"{base}/sessions", channels.page),
        ("GET", one, channels.get),
        ("POST", f"{one}/messages", channels.send),
        ("POST", f"{one}/cancel", channels.cancel),
        ("POST", f"{one}/question-answers", channels.answer),
        ("POST", f"{one}/tool-approvals", channels.approve),
        ("GET", f"{one}/events", channels.events),
        ("GET", f"{one}/sse", channels.sse),
        ("POST", f"{base}/runtime-auth", channels.refuse_token),
    ]


class _Channels:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._agents = server.services.agents
        self._sessions = server.services.sessions
        self._turns = server.services.turns
        self._sender = Sender(server.services)
        self._answering = Answering(server)

    async def card(self, request: Request) -> Response:
        door = await self._open(request, "sessions:read")
        return json_response(channels.card(door.agent, _place(door.agent)))

    async def create(self, request: Request) -> Response:
        door = await self._open(request, "sessions:write")
        data = await read_body(request, self._server.max_body_bytes)
        new = NewSession(
            agent=door.agent.id,
            title=channels.title(_NEW.decode(data)),
            origin=DIALECT,
            facet=channels.facet(door.end_user),
            files=starter_files.of(door.agent.spec),
        )
        # What an end user's key is to their server, `End-User` is here: nobody meets another's idempotency keys.
        again = repeat(request, door.caller.key, f"everruns.channel.create {door.end_user or ''}", data)
        result = await self._sessions.create(door.caller.org, new, door.caller.by, again)
        made = channels.session(result.value, None)
        place = f"{_place(door.agent)}/sessions/{made.id}".encode()
        return json_response(made, 201, (b"location", place), *replayed(result))

    async def page(self, request: Request) -> Response:
        """The most recently active first."""
        door = await self._open(request, "sessions:read")
        query, org = _LIST.read(request.query_string), door.caller.org
        where = channels.selected(door.agent, door.end_user)
        if query.page_token is not UNSET:
            where = (*where, channels.behind(*_read(query.page_token, door)))
        wanted = SessionQuery(where=All(where), sort=(("active_at", "desc"),), limit=query.limit + 1)
        records, last = cut(await self._sessions.list(org, wanted), query.limit)
        turns = await self._sessions.turn_spans(org, [record.session.id for record in records])
        data = [channels.session(record, turns.get(record.session.id)) for record in records]
        token = UNSET if last is None else _write(last, door)
        return json_response(wire.ChannelPage(data, token))

    async def get(self, request: Request) -> Response:
        door, record = await self._session(request, "sessions:read")
        id = record.session.id
        turns = await self._sessions.turn_spans(door.caller.org, [id])
        asks = await self._answering.pending(door.caller, id) if record.session.open_turn else ()
        return json_response(channels.session(record, turns.get(id), asks))

    async def answer(self, request: Request) -> Response:
        door, record = await self._session(request, "sessions:write")
        return await self._answering.answer(request, door.caller, record.session.id)

    async def approve(self, request: Request) -> Response:
        door, record = await self._session(request, "sessions:write")
        return await self._answering.approve(request, door.caller, record.session.id)

    async def send(self, request: Request) -> Response:
        """Whatever else than the message may be said of one is not a caller's to say, and not looked at."""
        door, record = await self._session(request, "sessions:write")
        data = await read_body(request, self._server.max_body_bytes)
        new = inbound_messages.new_input(channels.message(_MESSAGE.decode(data)))
        again = repeat(request, door.caller.key, f"everruns.channel.send {door.end_user or ''}", data)
        return await self._sender.send(door.caller, record.session.id, new, again)

    async def cancel(self, request: Request) -> Response:
        door, record = await self._session(request, "sessions:write")
        turn = record.session.open_turn
        if turn is None:
            return json_response(NO_TURN)
        try:
            await self._turns.cancel(door.caller.org, record.session.id, turn, door.caller.by)
        except WrongState:
            # It ended by itself in between.
            return json_response(NO_TURN)
        return json_response(Cancelled("cancelled", "Turn cancelled"))

    async def events(self, request: Request) -> Response:
        """Forward: a client reads on behind the last sequence until there is nothing."""
        _, record = await self._session(request, "sessions:read")
        query = _EVENTS.read(request.query_string)
        log = Log(self._server.services.feed, record, fails_stopped=True)
        return json_response(wire.Items(await log.next(query.after_sequence, query.limit)))

    async def sse(self, request: Request) -> EventStream[bytes]:
        _, record = await self._session(request, "sessions:read")
        return await stream(self._server, request, record, fails_stopped=True)

    async def refuse_token(self, request: Request) -> Response:
        door = await self._open(request, "sessions:write")
        if door.end_user is None:
            raise BadRequest("is needed: a token is one end user's", "End-User")
        raise NoRuntimeTokens

    async def _open(self, request: Request, scope: Scope) -> Door:
        """The organisation is the key's, so the key comes first; then whether the agent is there and in use."""
        caller = await self._server.caller(request, scope)
        channel = request.params["channel"]
        named = channels.reference(channel)
        try:
            if isinstance(named, str):
                agent = await self._agents.find(caller.org, named)
            else:
                agent = await self._agents.get(caller.org, named)
        except NotFound:
            raise _not_found(channel) from None
        if agent.archived_at is not None:
            raise AgentUnavailable
        return Door(caller, agent, channels.end_user(request.header(b"end-user")))

    async def _session(self, request: Request, scope: Scope) -> tuple[Door, SessionRecord]:
        """A session that is not the caller's is as one that is not there."""
        door, text = await self._open(request, scope), request.params["session"]
        try:
            record = await self._sessions.get(door.caller.org, ids.session(text), channels.FACET)
        except (NotFound, BadRequest):
            raise _not_found(text) from None
        if not channels.is_callers(record, door.agent, door.end_user):
            raise _not_found(text)
        return door, record


def _not_found(text: str) -> NotFound:
    return NotFound("channel or session", text[:100])


def _place(agent: Agent) -> str:
    return f"/api/v1/channels/{ids.text('appchan', agent.id)}"


def _write(last: SessionRecord, door: Door) -> str:
    place = Place(last.session.active_at, last.session.id)
    return _TOKENS.write(place, door.caller.org, door.agent.id, door.end_user)


def _read(token: str, door: Door) -> tuple[datetime, SessionId]:
    try:
        place = _TOKENS.read(token, door.caller.org, door.agent.id, door.end_user)
    except BadRequest:
        raise BadRequest("Invalid page_token") from None
    return place.active_at, SessionId(place.id)
