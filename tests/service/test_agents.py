import asyncio
from dataclasses import replace

import pytest

from sojourn.domain.agent import AgentQuery, AgentSpec
from sojourn.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, RevisionMismatch
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


def writer(instructions: str) -> AgentSpec:
    return AgentSpec(name="writer", instructions=instructions)


@pytest.mark.parametrize("named", ["writer", AgentId(uuid7())])
async def test_applying_a_spec_makes_the_agent_and_then_its_next_version(
    world: World, named: AgentId | str
) -> None:
    agents = world.services.agents
    first = await agents.apply(world.org, named, lambda current: writer("a" if current is None else "?"))
    assert (first.created, first.value.version, first.value.spec) == (True, 1, writer("a"))
    assert isinstance(named, str) or first.value.id == named
    second = await agents.apply(
        world.org, named, lambda current: replace(current or writer("?"), instructions="b")
    )
    assert (second.created, second.value.version, second.value.id) == (False, 2, first.value.id)
    again = await agents.apply(world.org, named, lambda _: writer("b"))
    assert again.value == second.value


async def test_rivals_that_apply_the_same_name_make_one_agent(world: World) -> None:
    agents = world.services.agents
    made = await asyncio.gather(
        *(agents.apply(world.org, "writer", lambda _, n=n: writer(str(n))) for n in range(6))
    )
    assert len({result.value.id for result in made}) == 1
    assert [result.created for result in made].count(True) == 1
    assert sorted(result.value.version for result in made) == [1, 2, 3, 4, 5, 6]


async def test_a_name_that_another_agent_has_cannot_be_applied_to_an_id(world: World) -> None:
    agents = world.services.agents
    await agents.create(world.org, writer(""))
    other = (await agents.create(world.org, AgentSpec(name="other"))).value
    for id in (other.id, AgentId(uuid7())):
        with pytest.raises(AlreadyExists):
            await agents.apply(world.org, id, lambda _: writer(""))


async def test_no_new_session_has_an_archived_agent_and_its_old_ones_go_on(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, writer(""))).value
    session = await world.new_session(NewSession(agent="writer"))
    archived = (await agents.archive(world.org, agent.id, True)).value
    assert archived.archived_at is not None
    assert (await agents.archive(world.org, agent.id, True)).value == archived
    for named in ("writer", agent.id):
        with pytest.raises(InvalidRequest):
            await world.new_session(NewSession(agent=named))
    await world.send(session)
    assert (await world.claim(session)).agent.spec == agent.spec
    assert agent.id not in [a.id for a in await agents.list(world.org, AgentQuery(archived=False))]
    assert (await agents.archive(world.org, agent.id, False)).value == agent
    await world.new_session(NewSession(agent="writer"))


async def test_applying_a_spec_to_an_archived_agent_takes_it_back_into_use(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, writer(""))).value
    await agents.archive(world.org, agent.id, True)
    assert (await agents.apply(world.org, "writer", lambda _: writer(""))).value == agent


async def test_the_default_agent_is_not_archived(world: World) -> None:
    agents = world.services.agents
    default = await agents.resolve(world.org, None)
    with pytest.raises(Conflict):
        await agents.archive(world.org, default.id, True)
    with pytest.raises(NotFound):
        await agents.archive(world.org, AgentId(uuid7()), True)


async def test_a_copy_is_called_after_the_agent_that_it_is_of(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, writer("Write."))).value
    copies = [(await agents.copy(world.org, agent.id)).value for _ in range(2)]
    assert [copy.spec for copy in copies] == [
        replace(agent.spec, name="writer-copy"),
        replace(agent.spec, name="writer-copy-2"),
    ]
    assert (await agents.copy(world.org, agent.id, "scribe")).value.spec.name == "scribe"
    with pytest.raises(AlreadyExists):
        await agents.copy(world.org, agent.id, "scribe")
    with pytest.raises(NotFound):
        await agents.copy(world.org, AgentId(uuid7()))
    long = (await agents.create(world.org, AgentSpec(name="a" * 64))).value
    assert (await agents.copy(world.org, long.id)).value.spec.name == "a" * 54 + "-copy"
