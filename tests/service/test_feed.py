"""A follower sees every event behind its cursor, once, in order, whatever the hub was told and when."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from random import Random

import pytest

from sojourn.domain.errors import LimitExceeded, NotFound
from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Gap, Preview
from sojourn.domain.ids import MessageId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.service.feed import Feed
from sojourn.service.hub import RING
from tests.support.world import SOMEBODY, World

BOUND_SECONDS = 20.0


async def follow(world: World, session: SessionId, after: int = 0) -> AsyncIterator[FeedItem]:
    return await world.services.feed.follow(world.org, session, after)


async def seqs_until(feed: AsyncIterator[FeedItem], last: int) -> list[int]:
    """The seqs that a feed gives until `last`, whatever else it gives."""
    seqs: list[int] = []
    async with asyncio.timeout(BOUND_SECONDS):
        while not seqs or seqs[-1] < last:
            item = await anext(feed)
            if isinstance(item, StoredEvent):
                seqs.append(item.seq)
    return seqs


async def until_caught_up(feed: AsyncIterator[FeedItem]) -> list[FeedItem]:
    items: list[FeedItem] = []
    async with asyncio.timeout(BOUND_SECONDS):
        while not items or not isinstance(items[-1], CaughtUp):
            items.append(await anext(feed))
    return items


class HeldBack:
    """What the hub would have been told, to be told later, otherwise, or not at all."""

    def __init__(self, world: World) -> None:
        self._tell = world.services.hub.publish
        self.events: list[StoredEvent] = []
        vars(world.services.hub)["publish"] = self.events.extend

    def tell(self, events: Sequence[StoredEvent]) -> None:
        for event in events:
            self._tell([event])


async def test_a_feed_replays_then_says_so_then_follows(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    feed = await follow(world, session)
    items = await until_caught_up(feed)
    assert [item.seq for item in items if isinstance(item, StoredEvent)] == [1, 2, 3]
    assert items[-1] == CaughtUp(3)
    await world.send(session)
    assert await seqs_until(feed, 4) == [4]


async def test_a_cursor_at_the_head_replays_nothing(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session, 1)
    assert await until_caught_up(feed) == [CaughtUp(1)]
    await world.send(session)
    assert await seqs_until(feed, 3) == [2, 3]


async def test_a_follower_that_falls_behind_the_ring_reads_the_log_again(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    # The first message also queues a turn; each other one is one event.
    count = 2 * RING + 50
    await asyncio.gather(*(world.send(session) for _ in range(count)))
    channel = world.services.hub.subscribe(world.org, session)
    assert len(channel.items) <= 2 * RING
    world.services.hub.unsubscribe(world.org, session, channel)
    assert await seqs_until(feed, count + 2) == list(range(2, count + 3))


async def test_commits_told_of_in_another_order_are_given_in_their_own(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    held = HeldBack(world)
    for _ in range(4):
        await world.send(session)
    held.tell([held.events[3], held.events[1], held.events[4], held.events[0], held.events[2]])
    assert await seqs_until(feed, 6) == [2, 3, 4, 5, 6]


async def test_what_is_told_twice_is_given_once(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    held = HeldBack(world)
    await world.send(session)
    held.tell(held.events)
    assert await seqs_until(feed, 3) == [2, 3]
    held.tell(held.events)
    await world.send(session)
    held.tell(held.events)
    assert await seqs_until(feed, 4) == [4]


async def test_what_the_hub_was_never_told_of_is_found_by_the_look_at_the_heads(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    HeldBack(world)
    await world.send(session)
    await world.services.feed.check_heads()
    assert await seqs_until(feed, 3) == [2, 3]


async def test_a_gap_in_what_the_hub_was_told_of_is_filled_from_the_log(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    held = HeldBack(world)
    for _ in range(3):
        await world.send(session)
    held.tell(held.events[-1:])
    assert await seqs_until(feed, 5) == [2, 3, 4, 5]


async def test_events_that_retention_took_are_told_of_as_a_gap(world: World) -> None:
    session = await world.new_session()
    for _ in range(3):
        await world.send(session)
    world.database.query("DELETE FROM events WHERE seq < 4")
    world.database.query("UPDATE sessions SET first_seq = 4")
    items = await until_caught_up(await follow(world, session))
    assert items[0] == Gap(4)
    assert [item.seq for item in items[1:] if isinstance(item, StoredEvent)] == [4, 5]
    assert await until_caught_up(await follow(world, session, 3)) == items[1:]


async def test_previews_are_given_live_and_never_replayed(world: World) -> None:
    turn = await world.claimed()
    feed = await follow(world, turn.session)
    await until_caught_up(feed)
    message = MessageId(uuid7())
    world.services.turns.preview(turn, message, 0, "she")
    world.services.turns.preview(turn, message, 3, "lo")
    async with asyncio.timeout(BOUND_SECONDS):
        assert [await anext(feed), await anext(feed)] == [
            Preview(turn.session, message, 0, "she"),
            Preview(turn.session, message, 3, "lo"),
        ]
    late = await until_caught_up(await follow(world, turn.session))
    assert not any(isinstance(item, Preview) for item in late)


async def test_followers_from_anywhere_at_any_time_see_the_same_log(world: World) -> None:
    random = Random(7)
    session = await world.new_session()
    last = 62

    async def write() -> None:
        for _ in range(60):
            await world.send(session)

    async def read() -> None:
        for _ in range(random.randrange(30)):
            await world.record(session)
        head = (await world.record(session)).session.next_seq - 1
        after = random.randrange(head + 1)
        feed = await follow(world, session, after)
        if after < last:
            assert await seqs_until(feed, last) == list(range(after + 1, last + 1))

    await asyncio.gather(write(), *(read() for _ in range(20)))


async def test_a_deleted_sessions_feeds_close_and_no_other_opens(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    async with asyncio.timeout(BOUND_SECONDS):
        assert [item async for item in feed] == [Closing("session_deleted")]
    with pytest.raises(NotFound):
        await follow(world, session)


async def test_a_shutdown_ends_every_feed_and_those_that_come_later(world: World) -> None:
    session = await world.new_session()
    feed = await follow(world, session)
    await until_caught_up(feed)
    world.services.hub.close()
    async with asyncio.timeout(BOUND_SECONDS):
        assert [item async for item in feed] == [Closing("shutdown")]
        items = [item async for item in await follow(world, session)]
    assert items[-1] == Closing("shutdown")


async def test_a_follower_that_goes_leaves_nothing_behind(world: World) -> None:
    session = await world.new_session()
    feeds = [await follow(world, session) for _ in range(3)]
    for feed in feeds:
        await until_caught_up(feed)
    assert world.services.hub.watched() == {world.org: [session]}
    for feed in feeds:
        await getattr(feed, "aclose")()  # noqa: B009 - a feed is an async generator, which its type does not say
    assert world.services.hub.watched() == {}


async def test_a_page_is_of_one_session_and_its_types(world: World) -> None:
    one, two = await world.new_session(), await world.new_session()
    await world.send(one)
    page = world.services.feed.page
    assert [event.seq for event in await page(world.org, one, 1, 1)] == [2]
    assert [event.type for event in await page(world.org, one, 0, 10, ("turn.queued",))] == ["turn.queued"]
    assert [event.session for event in await page(world.org, two, 0, 10)] == [two]
    with pytest.raises(NotFound):
        await page(world.org, SessionId(uuid7()), 0, 10)


async def test_a_stream_too_many_is_refused_before_it_begins_until_one_ends(world: World) -> None:
    feed = Feed(world.store.reads, world.services.hub, max_streams=1)
    session = await world.new_session()
    async with aclosing(await feed.stream(world.org, session, 0)) as items:
        # Two are asked for before either has begun: the second finds out with its first item.
        rival = await feed.stream(world.org, session, 0)
        await anext(items)
        with pytest.raises(LimitExceeded):
            await anext(rival)
        with pytest.raises(LimitExceeded):
            await feed.stream(world.org, session, 0)
        # Who waits for an answer holds no stream.
        async with aclosing(await feed.follow(world.org, session, 0)) as waiting:
            await anext(waiting)
    async with aclosing(await feed.stream(world.org, session, 0)) as items:
        await anext(items)
