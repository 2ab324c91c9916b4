"""What time does to one session, whatever is wrong with another."""

import asyncio
import logging

import pytest

from sojourn.domain.events import TurnCancelled, TurnReclaimed
from sojourn.domain.ids import SessionId
from sojourn.domain.policy import Policy
from sojourn.service import upkeep
from sojourn.service.claims import LeaseTerms
from sojourn.service.sessions import NewSession
from sojourn.service.upkeep import Upkeep
from tests.support.clock import HandClock
from tests.support.databases import Database, SqliteDatabase
from tests.support.world import World, open_world
from tests.worker.workplace import until

WITHIN_A_MINUTE = NewSession(policy=Policy(max_turn_seconds=60))


async def claimed(world: World) -> SessionId:
    session = await world.new_session(WITHIN_A_MINUTE)
    await world.send(session)
    await world.claim(session)
    return session


async def unreadable(world: World) -> SessionId:
    """A session whose turn nobody here can stop: a newer release wrote to its log."""
    session = await claimed(world)
    world.database.query("UPDATE events SET v = 99 WHERE type = 'turn.started' RETURNING seq")
    return session


async def test_a_log_that_cannot_be_read_holds_up_no_other_sessions_deadline(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await unreadable(world)
    world.clock.advance(1)
    session = await claimed(world)
    world.clock.advance(60)
    await world.services.upkeep.tick()
    [cancelled] = await world.said(session, TurnCancelled)
    assert cancelled.reason == "expired"


async def test_a_log_that_cannot_be_read_holds_up_no_start(
    database: Database, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    async with open_world(database, clock, LeaseTerms(None, "a boot")) as world:
        await unreadable(world)
        session = await claimed(world)
        next_boot = Upkeep(
            world.store,
            clock,
            world.services.feed,
            world.services.hub,
            LeaseTerms(None, "the next boot"),
            world.services.upkeep.keepalive,
            is_shared=False,
        )
        assert await next_boot.start() == 2
        [reclaimed] = await world.said(session, TurnReclaimed)
        assert reclaimed.cause == "server_restarted"


async def test_a_holder_that_slept_with_the_server_gets_one_fresh_ttl(
    sqlite: SqliteDatabase, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "TICK_SECONDS", 0.01)
    async with open_world(sqlite, clock) as world:
        held = await claimed(world)
        idle = await world.new_session(NewSession(policy=Policy(idle_timeout_seconds=30)))
        running = asyncio.create_task(world.services.upkeep.run())
        await world.new_session()
        # By now it runs, and its next tick finds that nothing was heard for longer than a lease lasts, itself included.
        clock.advance(40)
        await until(world, idle, "session.expired")
        running.cancel()
        await asyncio.wait([running])
        assert await world.said(held, TurnReclaimed) == []
        clock.advance(16)
        await world.services.upkeep.tick()
        assert len(await world.said(held, TurnReclaimed)) == 1
