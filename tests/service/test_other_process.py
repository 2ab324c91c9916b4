"""Followers in a process that did not commit what they wait for: nothing tells them but the check of the heads."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from sojourn.domain.feed import CaughtUp, Closing, FeedItem
from sojourn.domain.ids import MessageId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.service.feed import Feed
from sojourn.service.hub import Hub
from tests.support.world import SOMEBODY, World

BOUND_SECONDS = 20.0


@pytest.fixture
def far(world: World) -> Feed:
    """The feed of another process: the world's commits are not published to its hub."""
    return Feed(world.store.reads, Hub())


async def follow(world: World, feed: Feed, session: SessionId) -> AsyncGenerator[FeedItem]:
    return await feed.follow(world.org, session, 0)


async def until_caught_up(items: AsyncGenerator[FeedItem]) -> None:
    async for item in items:
        if isinstance(item, CaughtUp):
            return


async def all_of(items: AsyncGenerator[FeedItem], count: int) -> Sequence[FeedItem]:
    async with asyncio.timeout(BOUND_SECONDS):
        return [await anext(items) for _ in range(count)]


async def waiting(items: AsyncGenerator[FeedItem]) -> asyncio.Task[FeedItem]:
    """A follower that has read everything and waits."""
    task = asyncio.ensure_future(anext(items))
    begun = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(begun.set_result, None)
    await begun
    return task


async def test_a_newer_follower_hides_nothing_from_one_that_was_told_of_less(world: World, far: Feed) -> None:
    session = await world.new_session()
    async with aclosing(await follow(world, far, session)) as early:
        await until_caught_up(early)
        told = await waiting(early)
        await world.send(session)
        async with aclosing(await follow(world, far, session)) as late:
            await until_caught_up(late)
            newest = await waiting(late)
            await far.check_heads()
            async with asyncio.timeout(BOUND_SECONDS):
                item = await told
            assert isinstance(item, StoredEvent)
            assert item.type == "input.received"
            newest.cancel()
            await asyncio.wait([newest])


async def test_a_deletion_elsewhere_closes_the_feeds_here(world: World, far: Feed) -> None:
    session = await world.new_session()
    async with aclosing(await follow(world, far, session)) as items:
        await until_caught_up(items)
        await world.services.sessions.delete(world.org, session, SOMEBODY)
        await far.check_heads()
        [last] = await all_of(items, 1)
        assert last == Closing("session_deleted")


async def test_a_deleted_session_leaves_no_text_in_the_making(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    turn = await world.claim(session)
    world.services.turns.preview(turn, MessageId(uuid7()), 0, "half a sen")
    assert world.services.hub.partial(world.org, session) is not None
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    assert world.services.hub.partial(world.org, session) is None
