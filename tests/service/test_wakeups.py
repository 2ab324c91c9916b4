"""What one process of a shared Postgres learns of another's commits. Nobody polls here, and no heads are checked."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import asyncpg
import pytest

from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Preview
from sojourn.domain.ids import MessageId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.model_events import MessageCompleted
from sojourn.ports.turns import ClaimedTurn
from sojourn.store.hints import Notice, read_notice
from sojourn.store.postgres_wakeups import CHANNEL, PostgresWakeups
from tests.support.clock import HandClock
from tests.support.databases import PostgresDatabase
from tests.support.postgres import PostgresServer
from tests.support.processes import deaf, listening
from tests.support.world import SOMEBODY, World, open_world

BOUND_SECONDS = 20.0


@asynccontextmanager
async def following(world: World, session: SessionId) -> AsyncGenerator[AsyncGenerator[FeedItem]]:
    """What comes after the log's present end."""
    async with aclosing(await world.services.feed.follow(world.org, session, 0)) as items:
        async for item in items:
            if isinstance(item, CaughtUp):
                break
        yield items


async def first(items: AsyncGenerator[FeedItem], count: int) -> Sequence[FeedItem]:
    async with asyncio.timeout(BOUND_SECONDS):
        return [await anext(items) for _ in range(count)]


async def types(items: AsyncGenerator[FeedItem], count: int) -> list[str]:
    return [item.type for item in await first(items, count) if isinstance(item, StoredEvent)]


async def text_of(items: AsyncGenerator[FeedItem], length: int) -> str:
    """The text of the previews, each of which goes on where the one before it ended."""
    text = ""
    async with asyncio.timeout(BOUND_SECONDS):
        while len(text) < length:
            item = await anext(items)
            assert isinstance(item, Preview)
            assert item.offset == len(text)
            text += item.text
    return text


def write(world: World, turn: ClaimedTurn, message: MessageId, *texts: str) -> None:
    offset = 0
    for text in texts:
        world.services.turns.preview(turn, message, offset, text)
        offset += len(text)


async def message_of(world: World, turn: ClaimedTurn) -> MessageId:
    """The message whose writing the claim has announced."""
    opened = (await world.conversation(turn.session)).progress.open_call
    assert opened is not None
    return opened.message


async def test_a_follower_hears_of_another_process_s_commits(here: World, there: World) -> None:
    session = await here.new_session()
    async with following(there, session) as items:
        await here.send(session)
        assert await types(items, 2) == ["input.received", "turn.queued"]
        await here.claim(session)
        assert "turn.started" in await types(items, 3)


async def test_many_followers_of_one_session_share_the_read_of_another_process_s_commit(
    here: World, there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await here.new_session()
    async with AsyncExitStack() as stack:
        early = await stack.enter_async_context(following(there, session))
        await here.send(session)
        # What was hinted of before this follower came has been heard then.
        await types(early, 2)
        followers = [await stack.enter_async_context(following(there, session)) for _ in range(20)]
        waiting = [asyncio.create_task(types(items, 1)) for items in followers]
        reads, read = 0, there.store.reads.events_after

        async def counted(*place: Any) -> Sequence[StoredEvent]:
            nonlocal reads
            reads += 1
            return await read(*place)

        monkeypatch.setattr(there.store.reads, "events_after", counted)
        await here.send(session)
        assert await asyncio.gather(*waiting) == [["input.received"]] * 20
        assert reads == 1


async def test_a_deletion_in_another_process_closes_the_feed(here: World, there: World) -> None:
    session = await here.new_session()
    async with following(there, session) as items:
        await here.services.sessions.delete(here.org, session, SOMEBODY)
        assert await first(items, 1) == [Closing("session_deleted")]


async def test_a_word_that_cannot_be_read_makes_the_others_look_for_themselves(
    here: World, there: World, postgres: PostgresDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("ERROR", "sojourn")
    session = await here.new_session()
    async with following(there, session) as items, silenced(here):
        await here.send(session)
        postgres.query(f"SELECT pg_notify('{CHANNEL}', 'of another release')")
        assert await types(items, 2) == ["input.received", "turn.queued"]


async def test_what_is_committed_while_the_listener_is_away_is_found_when_it_is_back(
    here: World, there: World, postgres: PostgresDatabase, postgres_server: PostgresServer
) -> None:
    session = await here.new_session()
    async with following(there, session) as items:
        with deaf(postgres_server, postgres):
            await here.send(session)
        assert await types(items, 2) == ["input.received", "turn.queued"]
        # And from here on by hints again.
        await here.claim(session)
        assert "turn.started" in await types(items, 3)


async def test_previews_reach_followers_in_another_process_whole_and_in_order(
    here: World, there: World
) -> None:
    session = await here.new_session()
    await here.send(session)
    async with following(there, session) as items:
        turn = await here.claim(session)
        await types(items, 3)
        # More than a notification holds, and characters that take several bytes.
        texts = [f"{number} é \x00 \U0001f600 " for number in range(2_000)]
        write(here, turn, await message_of(here, turn), *texts)
        assert await text_of(items, len("".join(texts))) == "".join(texts)


async def test_previews_are_told_at_most_twenty_times_a_second(
    here: World, there: World, postgres: PostgresDatabase
) -> None:
    loop, turn = asyncio.get_running_loop(), await here.claimed()
    message, texts = await message_of(here, turn), [f"{number} " for number in range(300)]
    notices: list[Notice] = []
    connection: Any = await asyncpg.connect(postgres.url)

    def hear(_connection: object, _pid: int, _channel: str, payload: str) -> None:
        notices.append(read_notice(payload))

    await connection.add_listener(CHANNEL, hear)
    async with following(there, turn.session) as items:
        begun, offset = loop.time(), 0
        for text in texts:
            here.services.turns.preview(turn, message, offset, text)
            offset += len(text)
            # A model takes its time over each word, too.
            await here.record(turn.session)
        assert await text_of(items, offset) == "".join(texts)
    told = [notice for notice in notices if notice.previews]
    assert 1 < len(told) <= 1 + 20 * (loop.time() - begun)
    await connection.close()


async def test_an_interrupt_in_another_process_keeps_the_text_that_was_written(
    here: World, there: World
) -> None:
    turn = await here.claimed()
    async with following(there, turn.session) as items:
        write(here, turn, await message_of(here, turn), "Once ", "upon")
        assert await text_of(items, 9) == "Once upon"
        await there.services.turns.interrupt(there.org, turn.session, SOMEBODY)
    [kept] = await here.said(turn.session, MessageCompleted)
    assert (kept.text, kept.interrupted) == ("Once upon", True)


async def test_a_process_that_comes_late_is_told_the_text_from_its_beginning(
    here: World, postgres: PostgresDatabase, clock: HandClock
) -> None:
    turn = await here.claimed()
    message = await message_of(here, turn)
    write(here, turn, message, "Once ")
    async with open_world(postgres, clock) as late, following(late, turn.session) as items:
        async with listening(late, postgres):
            here.services.turns.preview(turn, message, 5, "upon")
            assert await text_of(items, 9) == "Once upon"
        assert late.services.hub.partial(late.org, turn.session) == (message, "Once upon")


async def test_a_preview_that_is_late_for_its_message_s_end_is_not_shown(here: World, there: World) -> None:
    turn = await here.claimed()
    message = await message_of(here, turn)
    async with following(there, turn.session) as items:
        await there.services.turns.interrupt(there.org, turn.session, SOMEBODY)
        assert await types(items, 2) == ["message.abandoned", "turn.cancelled"]
        # On its way since before the worker's process heard of the interrupt.
        there.services.hub.hear_preview(there.org, Preview(turn.session, message, 0, "Once"))
        await here.send(turn.session)
        assert await types(items, 2) == ["input.received", "turn.queued"]
    assert there.services.hub.partial(there.org, turn.session) is None


@asynccontextmanager
async def silenced(world: World) -> AsyncGenerator[None]:
    """What the world commits is told to nobody."""
    hub = world.services.hub
    hub.connect_processes(PostgresWakeups("postgresql://127.0.0.1:1/nowhere"))
    yield
