"""Handlers of agents."""

from dataclasses import replace
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.agent import Agent, AgentPosition
from sojourn.domain.ids import AgentId
from sojourn.service.results import Result
from sojourn.web.kit.conditions import etag
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import agent_wire, inbound, outbound, queries, wire
from sojourn.web.native.route import Call


class AgentPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last agent of a page."""

    created_at: wire.Instant
    id: UUID


CURSORS: Final = Cursors("agents", AgentPlace)


async def create(call: Call[queries.NoQuery, agent_wire.NewAgent]) -> Response:
    id = None if call.body.id is None else AgentId(call.body.id)
    result = await call.services.agents.create(call.org, inbound.agent_spec(call.body), call.repeat, id)
    return answer(result, 201)


async def get(call: Call[queries.AgentVersionQuery, wire.Nothing]) -> Response:
    version = None if call.query.version is UNSET else call.query.version
    return answer(Result(await call.services.agents.get(call.org, AgentId(call.id("agent")), version)))


async def page(call: Call[queries.AgentList, wire.Nothing]) -> Response:
    query, wanted = call.query, inbound.agent_query(call.query)
    selection = (wanted.search, wanted.archived, wanted.order)
    if query.cursor is not UNSET:
        place = CURSORS.read(query.cursor, call.org, *selection)
        wanted = replace(wanted, after=AgentPosition(place.created_at, AgentId(place.id)))
    agents, last = cut(await call.services.agents.list(call.org, wanted), query.limit)
    cursor = None
    if last is not None:
        cursor = CURSORS.write(AgentPlace(last.created_at, last.id), call.org, *selection)
    return json_response(agent_wire.Agents([outbound.agent(agent) for agent in agents], cursor))


async def update(call: Call[queries.NoQuery, agent_wire.AgentChange]) -> Response:
    agent = AgentId(call.id("agent"))
    return answer(
        Result(
            await call.services.agents.amend(
                call.org, agent, lambda spec: inbound.changed_spec(spec, call.body), call.expected_revision
            )
        )
    )


async def copy(call: Call[queries.NoQuery, agent_wire.AgentCopy]) -> Response:
    agent = AgentId(call.id("agent"))
    return answer(await call.services.agents.copy(call.org, agent, call.body.name, call.repeat), 201)


async def archive(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(await call.services.agents.archive(call.org, AgentId(call.id("agent")), True, call.repeat))


async def unarchive(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(await call.services.agents.archive(call.org, AgentId(call.id("agent")), False, call.repeat))


def answer(result: Result[Agent], status: int = 200) -> Response:
    agent = result.value
    return json_response(outbound.agent(agent), status, etag(agent.version), *replayed(result))
