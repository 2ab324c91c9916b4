"""Processes whose machines disagree about the time agree about deadlines."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.policy import Policy
from sojourn.domain.session import SessionStatus
from sojourn.service.sessions import NewSession
from sojourn.store import clock as clocks
from sojourn.store.clock import DatabaseClock
from tests.support.clock import START, HandClock
from tests.support.databases import PostgresDatabase, SqliteDatabase, opened
from tests.support.world import open_world

AN_HOUR = timedelta(hours=1)


class WrongClock(HandClock):
    """The clock of a machine that is wrong by so much, set by the database's."""

    def __init__(self, error: timedelta) -> None:
        self.local = HandClock(datetime.now(UTC) + error)
        self.shared = DatabaseClock(self.local)
        super().__init__()

    def now(self) -> datetime:
        return self.shared.now()


class Warned(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


async def test_a_file_of_one_process_has_the_time_of_that_process(sqlite: SqliteDatabase) -> None:
    async with opened(sqlite, HandClock()) as store:
        assert await store.time() == START


async def test_a_deadline_is_kept_by_the_databases_clock_whatever_the_machines_say(
    postgres: PostgresDatabase,
) -> None:
    early, late = WrongClock(-AN_HOUR), WrongClock(AN_HOUR)
    async with open_world(postgres, early) as writer, open_world(postgres, late) as keeper:
        await early.shared.tune(writer.store)
        await late.shared.tune(keeper.store)
        session = await writer.new_session(NewSession(policy=Policy(idle_timeout_seconds=600)))
        await keeper.services.upkeep.tick()
        assert (await keeper.record(session)).session.status is SessionStatus.OPEN
        late.local.advance(600)
        await keeper.services.upkeep.tick()
        assert (await keeper.record(session)).session.status is SessionStatus.EXPIRED


async def test_a_clock_stands_still_until_a_database_that_was_set_back_has_caught_up(
    sqlite: SqliteDatabase,
) -> None:
    local, told = HandClock(), HandClock(START + AN_HOUR)
    clock = DatabaseClock(local)
    async with opened(sqlite, told) as store:
        await clock.tune(store)
        assert clock.now() == START + AN_HOUR
        told.advance(-60)
        await clock.tune(store)
        assert clock.now() == START + AN_HOUR
        local.advance(61)
        assert clock.now() == START + AN_HOUR + timedelta(seconds=1)


async def test_a_clock_goes_on_while_the_database_is_away(
    postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "TUNE_EVERY_SECONDS", 0.01)
    clock = DatabaseClock(HandClock())
    async with opened(postgres, clock) as store:
        await clock.tune(store)
        told = clock.now()
    warned = Warned()
    clocks.log.addHandler(warned)
    keeping = asyncio.create_task(clock.keep(store))
    async with asyncio.timeout(10):
        await warned.event.wait()
    assert not keeping.done()
    assert clock.now() == told
    keeping.cancel()
    clocks.log.removeHandler(warned)
