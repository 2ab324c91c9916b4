"""The longest texts that the native API takes are ones that the indices of either database hold."""

import random
from typing import get_args

from sojourn.domain.agent import AgentSpec
from sojourn.service.sessions import NewSession
from sojourn.web.native import wire
from tests.support.world import World

# Four bytes each, and in no order that a database could compress.
LETTERS = [chr(code) for code in range(0x20000, 0x2A000)]


def longest(kind: object) -> str:
    """A text of the length that `kind` allows."""
    meta = get_args(kind)[1]
    return "".join(random.Random(1).choices(LETTERS, k=meta.max_length))


async def test_the_longest_names_are_stored_and_found(world: World) -> None:
    name = longest(wire.AgentName)
    agent = (await world.services.agents.create(world.org, AgentSpec(name=name))).value
    assert (await world.services.agents.resolve(world.org, name)).id == agent.id
    external_id = longest(wire.ExternalId)
    session = await world.new_session(NewSession(external_id=external_id, tags=(longest(wire.Tag),)))
    assert await world.store.reads.find_session(world.org, "external_id", external_id) == session
    _, is_new = await world.services.presences.hold(world.org, session, longest(wire.Holder), None)
    assert is_new
