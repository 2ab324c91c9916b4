"""A long or a large log is read through while others have their turns too."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sojourn.ports.turns import ClaimedTurn
from sojourn.service import transcripts, turns
from sojourn.service.codec import INLINE_BYTES
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import World, open_world

MESSAGES = 9

Reading = Callable[[World, ClaimedTurn], Awaitable[object]]


async def entries(world: World, turn: ClaimedTurn) -> object:
    return await world.services.turns.entries_after(turn, 0)


async def transcript(world: World, turn: ClaimedTurn) -> object:
    return await world.services.transcripts.read(world.org, turn.session)


async def export(world: World, turn: ClaimedTurn) -> object:
    return [line async for line in await world.services.exports.open(world.org, turn.session)]


async def turns_of_the_loop(work: Awaitable[object]) -> int:
    """How often others had their turn meanwhile."""
    loop, count = asyncio.get_running_loop(), 0

    def tick() -> None:
        nonlocal count, ticking
        count += 1
        ticking = loop.call_soon(tick)

    ticking = loop.call_soon(tick)
    await work
    ticking.cancel()
    return count


@pytest.mark.parametrize("read", [entries, transcript, export])
async def test_others_have_their_turn_behind_each_large_event(sqlite: Database, read: Reading) -> None:
    async with open_world(sqlite, HandClock()) as world:
        session = await world.new_session()
        for _ in range(MESSAGES):
            await world.send(session, "x" * (INLINE_BYTES + 1))
        reading = read(world, await world.claim(session))
        assert await turns_of_the_loop(reading) >= MESSAGES


@pytest.mark.parametrize("read", [entries, transcript])
async def test_others_have_their_turn_between_two_pages(
    sqlite: Database, read: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PAGE", 1)
    monkeypatch.setattr(transcripts, "PAGE", 1)
    async with open_world(sqlite, HandClock()) as world:
        session = await world.new_session()
        for _ in range(MESSAGES):
            await world.send(session)
        reading = read(world, await world.claim(session))
        assert await turns_of_the_loop(reading) >= MESSAGES
