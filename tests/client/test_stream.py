import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import pytest

from sojourn.client import CaughtUp, Client, Event, MessageEnded, NotFound, StreamItem, TextAdded, TurnClosed
from tests.client.server import BOUND_SECONDS, ServerProcess, wire_to


async def events_until(items: AsyncGenerator[StreamItem, None], type: str, count: int = 1) -> list[Event]:
    """The events up to the `count`-th one of a type."""
    seen: list[Event] = []
    async for item in items:
        if isinstance(item, Event):
            seen.append(item)
            count -= item.type == type
            if count == 0:
                return seen
    raise AssertionError("a stream does not end")


async def ask_all(client: Client, session: UUID, texts: list[str]) -> None:
    for text in texts:
        await client.send(session, text)


async def test_a_stream_replays_says_where_it_caught_up_and_follows(client: Client) -> None:
    session = await client.create_session()
    await client.update_session(session.id, title="a title")
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session.id)) as items:
        replayed = [await anext(items) for _ in range(3)]
        assert [item.seq for item in replayed if isinstance(item, Event)] == [1, 2]
        assert replayed[-1] == CaughtUp(seq=2)
        await client.send(session.id, "live")
        assert (await events_until(items, "turn.completed"))[0].seq == 3


async def test_a_stream_starts_behind_the_seq_it_is_given(client: Client) -> None:
    session = await client.create_session()
    await client.update_session(session.id, title="a title")
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session.id, after=1)) as items:
        first = await anext(items)
    assert isinstance(first, Event)
    assert first.seq == 2


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_stream_that_is_cut_anywhere_brings_every_event_once_and_in_order(
    server: ServerProcess, client: Client, seed: int
) -> None:
    chance = random.Random(seed)
    session = await client.create_session()
    texts = [f"message {n} " + "word " * chance.randint(0, 60) for n in range(20)]
    losses: list[str] = []
    async with (
        asyncio.timeout(BOUND_SECONDS),
        wire_to(server.url, lambda: chance.randint(1, 4000)) as wire,
        Client(wire.url, server.key) as cut_client,
        aclosing(cut_client.stream(session.id, on_loss=losses.append)) as items,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(ask_all(client, session.id, texts))
        events = await events_until(items, "turn.completed", len(texts))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    answers = [event.data["text"] for event in events if event.type == "message.completed"]
    assert answers == [f"echo: {text}" for text in texts]
    assert wire.cuts > 3
    assert len(losses) >= wire.cuts - 1


@pytest.mark.parametrize("seed", [4, 5, 6])
async def test_an_answer_over_a_wire_that_is_cut_anywhere_reads_as_committed(
    server: ServerProcess, client: Client, seed: int
) -> None:
    chance = random.Random(seed)
    session = await client.create_session()
    said = " ".join(f"word{n}" for n in range(400))
    async with (
        asyncio.timeout(BOUND_SECONDS),
        wire_to(server.url, lambda: chance.randint(300, 8_000)) as wire,
        Client(wire.url, server.key) as cut_client,
        aclosing(cut_client.ask(session.id, json.dumps([{"say": said}]))) as answer,
    ):
        parts = [part async for part in answer]
    assert wire.cuts > 0
    assert "".join(part.text for part in parts if isinstance(part, TextAdded)) == said
    assert [part.text for part in parts if isinstance(part, MessageEnded)] == [said]
    assert isinstance(parts[-1], TurnClosed)


async def test_a_stream_goes_on_after_the_server_was_killed_and_started_again(
    server: ServerProcess, client: Client
) -> None:
    session = await client.create_session()
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session.id)) as items:
        await client.send(session.id, json.dumps([{"sleep": 0.5}, {"say": "after all"}]))
        before = await events_until(items, "model.called")
        await server.kill()
        await server.start()
        after = await events_until(items, "turn.completed")
    events = before + after
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert "turn.reclaimed" in {event.type for event in after}
    assert [event.data["text"] for event in events if event.type == "message.completed"] == ["after all"]


async def test_a_stream_goes_on_after_the_server_was_stopped_and_started_again(
    server: ServerProcess, client: Client
) -> None:
    session = await client.create_session()
    losses: list[str] = []
    async with (
        asyncio.timeout(BOUND_SECONDS),
        aclosing(client.stream(session.id, on_loss=losses.append)) as items,
    ):
        assert isinstance(await anext(items), Event)
        await server.stop()
        await server.start()
        await client.send(session.id, "hello again")
        events = await events_until(items, "turn.completed")
    assert [event.seq for event in events] == list(range(2, len(events) + 2))
    assert losses


async def test_a_stream_of_a_deleted_session_ends_as_not_found(client: Client) -> None:
    session = await client.create_session()
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session.id)) as items:
        assert isinstance(await anext(items), Event)
        await client.delete_session(session.id)
        with pytest.raises(NotFound):
            async for _ in items:
                pass


async def test_two_streams_of_one_session_bring_the_same(client: Client) -> None:
    session = await client.create_session()
    async with (
        asyncio.timeout(BOUND_SECONDS),
        aclosing(client.stream(session.id)) as first,
        aclosing(client.stream(session.id)) as second,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(ask_all(client, session.id, ["one", "two", "three"]))
        seen = [await events_until(items, "turn.completed", 3) for items in (first, second)]
    assert seen[0] == seen[1]
