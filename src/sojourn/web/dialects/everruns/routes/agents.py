"""Agents: listed, read, made or changed in one step, copied, taken out of use."""

import re
from functools import partial
from typing import Final
from uuid import UUID

from sojourn.domain.agent import Agent
from sojourn.domain.errors import NotFound
from sojourn.domain.filter import Compare
from sojourn.domain.ids import AgentId, OrgId
from sojourn.service.results import Result
from sojourn.web.dialects.everruns import ids, inbound_agents, outbound_agents, status, wire
from sojourn.web.dialects.everruns.catalogue import Catalogue
from sojourn.web.dialects.everruns.links import base_of
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.kit.body import JsonBody, read_body
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.query import Query
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Response, json_response

_NEW: Final = JsonBody(wire.NewAgent)
_CHANGE: Final = JsonBody(wire.AgentChange)
_LIST: Final = Query(wire.AgentList)
_NAME: Final = Query(wire.NameQuery)
_ID: Final = re.compile("agent_[0-9a-f]{32}")


def routes(server: Server) -> Routes:
    agents = _Agents(server)
    return [
        ("GET", "/agents", agents.page),
        ("POST", "/agents", agents.apply),
        ("GET", "/agents/check-name", agents.check_name),
        ("GET", "/agents/{agent}", agents.get),
        ("PUT", "/agents/{agent}", agents.put),
        ("PATCH", "/agents/{agent}", agents.change),
        ("DELETE", "/agents/{agent}", agents.archive),
        ("POST", "/agents/{agent}/copy", agents.copy),
        ("GET", "/agents/{agent}/stats", agents.stats),
    ]


class _Agents:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._agents = server.services.agents
        self._sessions = server.services.sessions
        self._catalogue = Catalogue(server.services)
        self._known = server.capabilities

    async def page(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        said = _LIST.read(request.query_string)
        query = inbound_agents.query(said)
        found = await self._agents.list(caller.org, query)
        total = await self._agents.count(caller.org, query)
        return json_response(outbound_agents.agents(found, total, said, base_of(request), self._known))

    async def get(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        agent = await self._find(caller.org, request.params["agent"])
        return json_response(outbound_agents.agent(agent, base_of(request), self._known))

    async def apply(self, request: Request) -> Response:
        """Make an agent, or change the one that has the id, or without an id the name."""
        caller = await self._server.caller(request, "agents:write")
        data = await read_body(request, self._server.max_body_bytes)
        new = _NEW.decode(data)
        return await self._apply(request, caller, data, new, new.name if new.id is None else new.id)

    async def put(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:write")
        data = await read_body(request, self._server.max_body_bytes)
        new, named = _NEW.decode(data), request.params["agent"]
        if new.id is not None and new.id != named:
            raise BadRequest("is another than the path's", "id")
        return await self._apply(request, caller, data, new, named)

    async def _apply(
        self, request: Request, caller: Caller, data: bytes, new: wire.NewAgent, text: str
    ) -> Response:
        named = AgentId(ids.parse("agent", text)) if text.startswith("agent_") else inbound_agents.name(text)
        model = None if new.default_model_id is None else await self._model(caller.org, new.default_model_id)
        # What is wrong with it is said before anything is locked.
        inbound_agents.applied(new, model, self._known, None)
        again = repeat(request, caller.key, "everruns.agents.apply", data)
        spec = partial(inbound_agents.applied, new, model, self._known)
        return self._made(request, await self._agents.apply(caller.org, named, spec, again))

    async def change(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:write")
        agent = await self._find(caller.org, request.params["agent"])
        change = await self._server.body(request, _CHANGE)
        wanted = change.default_model_id
        model = None if wanted is None else await self._model(caller.org, wanted)
        agent = await self._agents.amend(
            caller.org, agent.id, lambda spec: inbound_agents.changed(spec, change, model, self._known)
        )
        if change.status is not None:
            agent = (await self._agents.archive(caller.org, agent.id, change.status == "archived")).value
        return json_response(outbound_agents.agent(agent, base_of(request), self._known))

    async def archive(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:write")
        agent = await self._find(caller.org, request.params["agent"])
        await self._agents.archive(caller.org, agent.id, True)
        return NO_CONTENT

    async def copy(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:write")
        data = await read_body(request, self._server.max_body_bytes)
        agent = await self._find(caller.org, request.params["agent"])
        again = repeat(request, caller.key, "everruns.agents.copy", data)
        return self._made(request, await self._agents.copy(caller.org, agent.id, repeat=again))

    async def stats(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        agent = await self._find(caller.org, request.params["agent"])
        of_agent = Compare("agent", "eq", agent.id)
        totals = await self._sessions.totals(caller.org, of_agent)
        counts = await self._sessions.count_by(caller.org, of_agent, status.STATUS)
        return json_response(outbound_agents.stats(totals, counts))

    async def check_name(self, request: Request) -> Response:
        caller = await self._server.caller(request, "agents:read")
        wanted = _NAME.read(request.query_string)
        but = ids.parse("agent", wanted.exclude_id) if isinstance(wanted.exclude_id, str) else None
        try:
            holder = await self._agents.find(caller.org, inbound_agents.name(wanted.name))
        except NotFound:
            return json_response(wire.Available(True))
        return json_response(wire.Available(holder.id == but))

    async def _find(self, org: OrgId, text: str) -> Agent:
        """The agent of an id or a name. What is neither is malformed, not unknown."""
        if _ID.fullmatch(text):
            return await self._agents.get(org, AgentId(UUID(hex=text[-32:])))
        try:
            return await self._agents.find(org, text)
        except NotFound:
            if inbound_agents.NAME.fullmatch(text):
                raise
            ids.parse("agent", text)
            raise

    async def _model(self, org: OrgId, text: str) -> str:
        return (await self._catalogue.model(org, text)).name

    def _made(self, request: Request, result: Result[Agent]) -> Response:
        status = 201 if result.created else 200
        shown = outbound_agents.agent(result.value, base_of(request), self._known)
        return json_response(shown, status, *replayed(result))
