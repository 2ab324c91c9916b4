"""A client may choose its session's id, so two organisations may have a session of the same one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import pytest

from sojourn.domain.feed import CaughtUp, FeedItem, Preview
from sojourn.domain.ids import MessageId, OrgId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.service.sessions import NewSession
from tests.support.world import SOMEBODY, World

ID = SessionId(uuid7())
OTHER_ORG = OrgId(UUID(int=2))
BOUND_SECONDS = 20.0


@pytest.fixture
async def other(world: World) -> World:
    """The same services, as another organisation."""
    await world.services.access.ensure_org(OTHER_ORG, "other")
    await world.services.agents.ensure_default(OTHER_ORG)
    return World(world.database, world.store, world.services, world.clock, world.published, OTHER_ORG)


async def follow(world: World) -> AsyncGenerator[FeedItem]:
    return await world.services.feed.follow(world.org, ID, 0)


async def until_caught_up(items: AsyncGenerator[FeedItem]) -> None:
    async for item in items:
        if isinstance(item, CaughtUp):
            return


async def test_a_feed_gives_nothing_of_another_organisations_session(world: World, other: World) -> None:
    await world.new_session(NewSession(id=ID))
    await other.new_session(NewSession(id=ID))
    async with aclosing(await follow(world)) as mine, aclosing(await follow(other)) as theirs:
        await until_caught_up(mine)
        await until_caught_up(theirs)
        await world.send(ID, "a secret")
        turn = await world.claim(ID)
        world.services.turns.preview(turn, MessageId(uuid7()), 0, "a secret")
        await other.send(ID, "a word of theirs")
        async with asyncio.timeout(BOUND_SECONDS):
            first = [await anext(theirs), await anext(theirs)]
            ours = [await anext(mine) for _ in range(6)]
    assert [item.org for item in first if isinstance(item, StoredEvent)] == [OTHER_ORG, OTHER_ORG]
    assert {item.org for item in ours if isinstance(item, StoredEvent)} == {world.org}
    assert isinstance(ours[-1], Preview)


async def test_a_deletion_closes_no_feed_of_another_organisation(world: World, other: World) -> None:
    await world.new_session(NewSession(id=ID))
    await other.new_session(NewSession(id=ID))
    async with aclosing(await follow(world)) as mine:
        await until_caught_up(mine)
        await other.services.sessions.delete(OTHER_ORG, ID, SOMEBODY)
        await world.send(ID)
        async with asyncio.timeout(BOUND_SECONDS):
            assert isinstance(await anext(mine), StoredEvent)


async def test_a_text_in_the_making_is_kept_for_its_own_organisations_turn(world: World) -> None:
    await world.new_session(NewSession(id=ID))
    await world.send(ID)
    turn = await world.claim(ID)
    message = MessageId(uuid7())
    world.services.turns.preview(turn, message, 0, "mine")
    assert world.services.hub.partial(OTHER_ORG, ID) is None
    assert world.services.hub.partial(world.org, ID) == (message, "mine")
