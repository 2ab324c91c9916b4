"""Handlers of agents."""

from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.agent import Agent
from sojourn.domain.errors import RevisionMismatch
from sojourn.domain.ids import AgentId
from sojourn.service.results import Result
from sojourn.web.kit.conditions import etag
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import inbound, outbound, queries, wire
from sojourn.web.native.route import Call


class AgentPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last agent of a page."""

    id: UUID


CURSORS: Final = Cursors("agents", AgentPlace)


async def create(call: Call[queries.NoQuery, wire.NewAgent]) -> Response:
    result = await call.services.agents.create(call.org, inbound.agent_spec(call.body), call.repeat)
    return answer(result, 201)


async def get(call: Call[queries.AgentVersionQuery, wire.Nothing]) -> Response:
    version = None if call.query.version is UNSET else call.query.version
    return answer(Result(await call.services.agents.get(call.org, AgentId(call.id("agent")), version)))


async def page(call: Call[queries.Page, wire.Nothing]) -> Response:
    query = call.query
    after = None if query.cursor is UNSET else AgentId(CURSORS.read(query.cursor, call.org).id)
    agents, last = cut(await call.services.agents.list(call.org, after, query.limit + 1), query.limit)
    cursor = None if last is None else CURSORS.write(AgentPlace(last.id), call.org)
    return json_response(wire.Agents([outbound.agent(agent) for agent in agents], cursor))


async def update(call: Call[queries.NoQuery, wire.AgentChange]) -> Response:
    """Each round changes the version it has read, so one that lost against another client starts over."""
    agents, id, wanted = call.services.agents, AgentId(call.id("agent")), call.expected_revision
    while True:
        current = await agents.get(call.org, id)
        spec = inbound.changed_spec(current.spec, call.body)
        try:
            updated = await agents.update(call.org, id, spec, current.version if wanted is None else wanted)
        except RevisionMismatch:
            if wanted is not None:
                raise
            continue
        return answer(Result(updated))


def answer(result: Result[Agent], status: int = 200) -> Response:
    agent = result.value
    return json_response(outbound.agent(agent), status, etag(agent.version), *replayed(result))
