"""Membrane's paths, each with its handler."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UnsetType

from sojourn.domain.actor import Actor
from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.feed import FeedItem
from sojourn.domain.filter import Position
from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import SessionStatus
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from sojourn.web.dialects.membrane import events, facet, finished, inbound, outbound, status, wire
from sojourn.web.dialects.membrane.errors import PROBLEMS
from sojourn.web.dialects.membrane.facet import DIALECT
from sojourn.web.dialects.membrane.messages import messages
from sojourn.web.dialects.membrane.tokens import Caller, Tokens
from sojourn.web.dialects.membrane.waiting import unless_gone, until
from sojourn.web.kit.auth import Scope, require
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.origins import AnyOrigin
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header, Response, json_response
from sojourn.web.kit.sse import EventStream, Heart, open_stream
from sojourn.web.kit.surface import Surface

SESSIONS: Final = "/agent/sessions"
SCREEN: Final = "/screens/agent-session"

_NEW: Final = JsonBody(wire.CreateAgentSession)
_PATCH: Final = JsonBody(wire.PatchAgentSession)
_INPUT: Final = JsonBody(wire.AgentSessionInput)
_LIST: Final = Query(wire.ListQuery)
_GET: Final = Query(wire.GetQuery)
# A form's fields are written like a query's.
_FORM: Final = Query(wire.ScreenForm)


class Place(msgspec.Struct, array_like=True, frozen=True):
    """The last session of a page."""

    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID


_CURSORS: Final = Cursors("membrane.sessions", Place)


def build_membrane(services: Services, heart: Heart, max_body_bytes: int) -> AnyOrigin:
    """The dialect as an application, which sees its paths whole. The vendor's SDK runs in pages of any origin."""
    tokens = Tokens(services)
    services.webhooks.register(finished.TYPE, finished.Finished(tokens))
    services.children.inherit(DIALECT, facet.of_child)
    membrane = Membrane(services, tokens, heart, max_body_bytes)
    one = f"{SESSIONS}/{{session}}"
    routes = [
        *(("POST", path, membrane.create) for path in (SESSIONS, SESSIONS + "/")),
        *(("GET", path, membrane.page) for path in (SESSIONS, SESSIONS + "/")),
        ("GET", one, membrane.get),
        ("PATCH", one, membrane.patch),
        ("POST", f"{one}/message", membrane.send),
        ("POST", f"{one}/interrupt", membrane.interrupt),
        ("PATCH", f"{one}/stop", membrane.stop),
        ("GET", f"{one}/messages", membrane.messages),
        ("GET", f"{one}/events", membrane.events),
        ("POST", SCREEN, membrane.screen),
    ]
    return AnyOrigin(Surface(routes, PROBLEMS), "GET, POST, PATCH")


class Membrane:
    def __init__(self, services: Services, tokens: Tokens, heart: Heart, max_body_bytes: int) -> None:
        self._services = services
        self._heart = heart
        self._tokens = tokens
        self._max_body_bytes = max_body_bytes

    async def create(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:write")
        data = await read_body(request, self._max_body_bytes)
        said = _NEW.decode(data)
        providers = await self._providers(caller, said)
        new = inbound.new_session(said, caller.workspace, caller.tenant, providers)
        again = repeat(request, caller.principal.key, "membrane.create", data)
        result = await self._services.sessions.create(caller.principal.org, new, _by(caller), again)
        return await self._answer(caller, result.value, *replayed(result))

    async def _providers(self, caller: Caller, said: wire.CreateAgentSession) -> Collection[str]:
        """Those that this process has keys for, and those that the organisation has stored."""
        if isinstance(said.model_id, UnsetType):
            return ()
        stored = await self._services.models.list_providers(caller.principal.org)
        return {*self._services.providers, *(provider.name for provider in stored)}

    async def page(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:read")
        query = _LIST.read(request.query_string)
        org, where = caller.principal.org, inbound.where(query, caller.place, caller.sees)
        after = None
        if isinstance(query.cursor, str):
            place = _CURSORS.read(query.cursor, org, where)
            after = Position(place.created_at, SessionId(place.id))
        found = await self._services.sessions.list(org, inbound.page(query, where, after))
        records, last = cut(found, query.limit)
        cursor = None
        if last is not None:
            cursor = _CURSORS.write(Place(last.session.created_at, last.session.id), org, where)
        glimpses = await self._glimpses(caller, records)
        return json_response(outbound.page(records, caller.place, glimpses, cursor))

    async def get(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:read")
        query = _GET.read(request.query_string)
        record = await self._session(request, caller)
        if inbound.is_true(query.wait) and not _is_over(record):
            waiting = until(self._services, record, DIALECT, _is_over, query.timeout)
            record = await unless_gone(request, waiting)
        return await self._answer(caller, record)

    async def patch(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:write")
        data = await read_body(request, self._max_body_bytes)
        change = inbound.change(_PATCH.decode(data), self._max_body_bytes)
        row = (await self._session(request, caller)).session
        record = await self._services.sessions.update(row.org, row.id, change, _by(caller))
        return await self._answer(caller, record)

    async def send(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:write")
        data = await read_body(request, self._max_body_bytes)
        said = _INPUT.decode(data)
        before = await self._session(request, caller)
        row = before.session
        new = NewInput(
            content=inbound.content(said.input, said.attachments), delivery=inbound.delivery(before)
        )
        again = repeat(request, caller.principal.key, "membrane.message", data)
        # What nobody typed is not a human's word.
        by = Actor("policy", caller.principal.key) if said.synthetic else _by(caller)
        result = await self._services.inputs.send(row.org, row.id, new, by, again)
        after = await self._services.sessions.get(row.org, row.id, DIALECT)
        shown = status.shown(row, facet.of_text(before.facet)).status
        stays = shown if shown == "running" else None
        return await self._answer(caller, after, *replayed(result), stays=stays)

    async def interrupt(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:write")
        row = (await self._session(request, caller)).session
        again = repeat(request, caller.principal.key, "membrane.interrupt", b"")
        result = await self._services.turns.interrupt(row.org, row.id, _by(caller), again)
        return json_response(wire.Interrupted(result.value), 200, *replayed(result))

    async def stop(self, request: Request) -> Response:
        """Of one that has ended it changes nothing, so that it can be repeated."""
        caller = await self._caller(request, "sessions:write")
        row = (await self._session(request, caller)).session
        if row.status is SessionStatus.OPEN:
            # If somebody else ends it in the meantime, that is what was asked for.
            with suppress(WrongState):
                await self._services.sessions.end(row.org, row.id, "cancelled", None, _by(caller))
        record = await self._services.sessions.get(row.org, row.id, DIALECT)
        return await self._answer(caller, record)

    async def messages(self, request: Request) -> Response:
        caller = await self._caller(request, "sessions:read")
        record = await self._session(request, caller)
        return json_response(await self._said(record))

    async def events(self, request: Request) -> EventStream[FeedItem]:
        caller = await self._caller(request, "sessions:read")
        row = (await self._session(request, caller)).session
        source = await self._services.feed.stream(row.org, row.id, events.last_event_id(request))
        return await open_stream(self._heart, source, events.encode, events.failed)

    async def screen(self, request: Request) -> Response:
        """Whoever opens a frame cannot send a header: the form has the token."""
        form = _FORM.read(await read_body(request, self._max_body_bytes))
        caller = await self._tokens.read(form.token)
        require(caller.principal, "sessions:read")
        record = await self._seen(form.session_id, caller)
        glimpses = await self._glimpses(caller, [record])
        session = outbound.session(record, caller.place, glimpses.get(record.session.id))
        said = await self._said(record)
        # Only here: the template engine is loaded with the first page that is shown.
        from sojourn.web.dialects.membrane.screen import page  # noqa: PLC0415

        return page(session, said, form.token, form.theme, record.session.next_seq - 1)

    async def _said(self, record: SessionRecord) -> list[wire.Message]:
        row = record.session
        transcript = await self._services.transcripts.read(row.org, row.id)
        return messages(row.id, transcript, self._services.transcripts.being_written(row.org, row.id))

    async def _caller(self, request: Request, scope: Scope) -> Caller:
        caller = await self._tokens.of(request)
        require(caller.principal, scope)
        return caller

    async def _session(self, request: Request, caller: Caller) -> SessionRecord:
        """The session of the path."""
        return await self._seen(request.params["session"], caller)

    async def _seen(self, text: str, caller: Caller) -> SessionRecord:
        """Another tenant's session is not there."""
        id = inbound.session_id(text)
        record = await self._services.sessions.get(caller.principal.org, id, DIALECT)
        if caller.sees is not None and facet.of_text(record.facet).tenant_id != caller.sees:
            raise NotFound("session", id)
        return record

    async def _answer(
        self, caller: Caller, record: SessionRecord, *headers: Header, stays: wire.Status | None = None
    ) -> Response:
        glimpses = await self._glimpses(caller, [record])
        session = outbound.session(record, caller.place, glimpses.get(record.session.id), stays)
        return json_response(session, 200, *headers)

    async def _glimpses(self, caller: Caller, records: Sequence[SessionRecord]) -> "outbound.Glimpses":
        wanted = [record for record in records if outbound.wants_glimpse(record)]
        if not wanted:
            return {}
        return await self._services.transcripts.glimpses(caller.principal.org, wanted)


def _is_over(record: SessionRecord) -> bool:
    """Whether a client that waits is told: nothing is being done, or nothing will be done any more."""
    return status.shown(record.session, facet.of_text(record.facet)).state == "idle"


def _by(caller: Caller) -> Actor:
    return Actor("human", caller.principal.key)
