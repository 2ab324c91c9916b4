import asyncio

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.errors import AlreadyExists, NotFound, RevisionMismatch
from sojourn.domain.ids import AgentId, uuid7
from sojourn.service.sessions import NewSession
from tests.support.world import World


async def test_an_update_makes_the_next_version_and_sessions_keep_theirs(world: World) -> None:
    agents = world.services.agents
    first = (await agents.create(world.org, AgentSpec(name="writer"))).value
    old = await world.new_session(NewSession(agent="writer"))
    second = await agents.update(world.org, first.id, AgentSpec(name="editor"), expected_version=1)
    new = await world.new_session(NewSession(agent="editor"))
    assert (second.version, second.spec.name, second.created_at) == (2, "editor", first.created_at)
    assert (await world.record(old)).session.agent_version == 1
    assert (await world.record(new)).session.agent_version == 2
    assert await agents.get(world.org, first.id) == second
    assert await agents.get(world.org, first.id, 1) == first


async def test_an_update_that_expects_another_version_is_refused(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, AgentSpec(name="writer"))).value
    with pytest.raises(RevisionMismatch):
        await agents.update(world.org, agent.id, AgentSpec(name="editor"), expected_version=2)
    assert await agents.get(world.org, agent.id) == agent


async def test_updates_at_once_each_make_a_version_of_their_own(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, AgentSpec(name="writer"))).value
    made = await asyncio.gather(
        *(agents.update(world.org, agent.id, AgentSpec(name="writer")) for _ in range(6))
    )
    assert sorted(version.version for version in made) == [2, 3, 4, 5, 6, 7]


async def test_a_name_is_taken_once(world: World) -> None:
    agents = world.services.agents
    other = (await agents.create(world.org, AgentSpec(name="other"))).value
    await agents.create(world.org, AgentSpec(name="writer"))
    with pytest.raises(AlreadyExists):
        await agents.create(world.org, AgentSpec(name="writer"))
    with pytest.raises(AlreadyExists):
        await agents.update(world.org, other.id, AgentSpec(name="writer"))


async def test_an_agent_that_is_not_there_is_not_found(world: World) -> None:
    agents = world.services.agents
    default = await agents.resolve(world.org, None)
    for act in (
        agents.get(world.org, AgentId(uuid7())),
        agents.get(world.org, default.id, 9),
        agents.update(world.org, AgentId(uuid7()), AgentSpec(name="x")),
    ):
        with pytest.raises(NotFound):
            await act


async def test_an_agent_is_found_by_its_name(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, AgentSpec(name="writer"))).value
    assert await agents.find(world.org, "writer") == agent
    with pytest.raises(NotFound):
        await agents.find(world.org, "nobody")
