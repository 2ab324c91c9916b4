"""Sessions of two organisations with one id, which a client may choose, on one worker."""

from uuid import UUID

from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.service.sessions import NewSession
from tests.support.world import World
from tests.worker.model import ScriptedModel, says
from tests.worker.workplace import model_runner, until, working

ID = SessionId(uuid7())
OTHER_ORG = OrgId(UUID(int=2))


async def test_a_model_reads_nothing_of_another_organisations_conversation(world: World) -> None:
    await world.services.access.ensure_org(OTHER_ORG, "other")
    await world.services.agents.ensure_default(OTHER_ORG)
    other = World(world.database, world.store, world.services, world.clock, world.published, OTHER_ORG)
    model = ScriptedModel(says("fine"))
    async with working(world, model_runner(model)):
        for one in (world, other):
            await one.new_session(NewSession(id=ID))
            await one.send(ID, f"a secret of {one.org}")
            await until(one, ID, "turn.completed")
    first, second = model.requests
    assert [message.text for message in first.messages] == [f"a secret of {world.org}"]
    assert [message.text for message in second.messages] == [f"a secret of {OTHER_ORG}"]
