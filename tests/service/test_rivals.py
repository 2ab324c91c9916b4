"""Two processes that begin, or rename, at the same moment."""

import asyncio

from sojourn.domain.agent import AgentQuery, AgentSpec
from sojourn.domain.errors import AlreadyExists
from sojourn.domain.ids import OrgId, uuid7
from tests.support.world import World


async def test_processes_that_start_together_make_one_default_agent_and_one_bootstrap_key(
    world: World,
) -> None:
    for _ in range(5):
        org = OrgId(uuid7())
        await world.services.access.ensure_org(org, "new")
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(world.services.agents.ensure_default(org))
                group.create_task(
                    world.services.access.ensure_key(org, "bootstrap", "admin", f"key of {org}")
                )
        assert (await world.services.access.authenticate(f"key of {org}")).org == org
        assert [agent.version for agent in await world.services.agents.list(org, AgentQuery())] == [1]


async def test_of_two_agents_that_take_one_name_at_once_one_gets_it(world: World) -> None:
    agents = world.services.agents
    for again in range(5):
        rivals = [
            (await agents.create(world.org, AgentSpec(name=f"{again}-{index}"))).value.id
            for index in range(4)
        ]
        wanted = AgentSpec(name=f"name {again}")
        ends = await asyncio.gather(
            *(agents.update(world.org, rival, wanted) for rival in rivals), return_exceptions=True
        )
        assert sorted(type(end).__name__ for end in ends) == ["Agent", *[AlreadyExists.__name__] * 3]
