"""Sessions themselves: made, listed, read, changed, deleted."""

from typing import Final

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.web.dialects.everruns import (
    ids,
    inbound_agents,
    inbound_sessions,
    models,
    outbound_sessions,
    wire,
)
from sojourn.web.dialects.everruns.catalogue import Catalogue
from sojourn.web.dialects.everruns.links import base_of
from sojourn.web.dialects.everruns.presenter import Presenter
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.session_facet import DIALECT
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response, json_response

_NEW: Final = JsonBody(wire.NewSession)
_CHANGE: Final = JsonBody(wire.SessionChange)
_LIST: Final = Query(wire.SessionList)


def routes(server: Server) -> Routes:
    sessions = _Sessions(server)
    return [
        ("POST", "/sessions", sessions.create),
        ("GET", "/sessions", sessions.page),
        ("GET", "/sessions/{session}", sessions.get),
        ("PATCH", "/sessions/{session}", sessions.change),
        ("DELETE", "/sessions/{session}", sessions.delete),
        ("GET", "/sessions/{session}/resolved-model", sessions.resolved_model),
    ]


class _Sessions:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._services = server.services
        self._sessions = server.services.sessions
        self._catalogue = Catalogue(server.services)
        self._presenter = Presenter(server.services, server.capabilities)

    async def create(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        data = await read_body(request, self._server.max_body_bytes)
        said = _NEW.decode(data)
        resolved = await self._resolved(caller.org, said)
        new = inbound_sessions.new_session(said, resolved, caller.key, self._server.capabilities)
        again = repeat(request, caller.key, "everruns.sessions.create", data)
        result = await self._sessions.create(caller.org, new, caller.by, again)
        shown = await self._presenter.one(result.value, caller, request)
        return json_response(shown, 201, *replayed(result))

    async def _resolved(self, org: OrgId, said: wire.NewSession) -> inbound_sessions.Resolved:
        id, agents = inbound_sessions.agent_id(said), self._services.agents
        if id is not None:
            agent = await agents.get(org, id)
        elif said.agent_name is not None:
            agent = await agents.find(org, inbound_agents.name(said.agent_name))
        else:
            agent = await agents.resolve(org, None)
        model = None if said.model_id is None else (await self._catalogue.model(org, said.model_id)).name
        if said.workspace_id is not None:
            # Every session has a workspace of its own digits, and there are no others.
            await self._sessions.get(org, SessionId(ids.parse("wsp", said.workspace_id)))
        return inbound_sessions.Resolved(agent, model, said.workspace_id)

    async def page(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        said = _LIST.read(request.query_string)
        query = inbound_sessions.query(said, caller.key)
        base = base_of(request)
        records = await self._sessions.list(caller.org, query)
        # A page that is not full is the last, and tells the total by itself; one behind the end does not.
        if len(records) < query.limit and (records or not query.offset):
            total = query.offset + len(records)
        else:
            total = await self._sessions.count(caller.org, query.where)
        shown = await self._presenter.all(records, caller, base)
        return json_response(outbound_sessions.page(shown, total, said, base))

    async def get(self, request: Request) -> Response:
        caller, record = await self._record(request)
        return json_response(await self._presenter.one(record, caller, request))

    async def change(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        said = await self._server.body(request, _CHANGE)
        record = await self._server.amend(
            caller,
            session,
            lambda facet: inbound_sessions.changed(facet, said),
            inbound_sessions.change(said),
        )
        return json_response(await self._presenter.one(record, caller, request))

    async def delete(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        session = ids.session(request.params["session"])
        await self._sessions.delete(caller.org, session, caller.by)
        return NO_CONTENT

    async def resolved_model(self, request: Request) -> Response:
        """What a turn is run with unless its message says otherwise."""
        caller, record = await self._record(request)
        row = record.session
        agent = await self._services.agents.pinned(caller.org, row.agent, row.agent_version)
        spec = agent.spec if record.overlay is None else record.overlay.over(agent.spec)
        return json_response(wire.ResolvedModel(models.id_of(spec.model or self._services.default_model)))

    async def _record(self, request: Request) -> tuple[Caller, SessionRecord]:
        caller = await self._server.caller(request, "sessions:read")
        session = ids.session(request.params["session"])
        return caller, await self._sessions.get(caller.org, session, DIALECT)
