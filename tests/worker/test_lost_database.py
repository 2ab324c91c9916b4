"""A database that goes away in the middle of a worker's write."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from sojourn.domain.events import TurnReclaimed
from sojourn.domain.ids import SessionId
from tests.support.databases import PostgresDatabase
from tests.support.world import World
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.tools import Gate
from tests.worker.workplace import BOUND_SECONDS, model_runner, new_session, results, until, waited, working

WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def database(postgres: PostgresDatabase) -> PostgresDatabase:
    """SQLite is never away from its process."""
    return postgres


async def test_a_turn_whose_write_met_a_lost_connection_is_given_back_and_goes_on(
    world: World,
    database: PostgresDatabase,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sojourn.worker.execution.STORE_RETRY_SECONDS", 0.01)
    caplog.set_level("CRITICAL", "sojourn")
    session = await new_session(world)
    await world.send(session)
    gate, model = Gate(), ScriptedModel(calls("gate"), says("done"))
    async with working(world, model_runner(model, [gate.tool])):
        await waited(gate.entered)
        async with locked(database, session):
            gate.open()
            await cut_whoever_waits(database)
        await until(world, session, "turn.completed")
    assert [one.cause for one in await world.said(session, TurnReclaimed)] == ["worker_stopped"]
    assert await results(world, session) == {(1, 0): "unknown"}
    assert (gate.runs, len(model.requests)) == (1, 2)


@asynccontextmanager
async def locked(database: PostgresDatabase, session: SessionId) -> AsyncGenerator[None]:
    """Somebody else holds the session's row."""
    connection = await asyncpg.connect(database.url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE", session)
            yield
    finally:
        await connection.close()


async def cut_whoever_waits(database: PostgresDatabase) -> None:
    """Break the connections that wait for a lock, once there are some."""
    connection = await asyncpg.connect(database.url)
    async with asyncio.timeout(BOUND_SECONDS):
        while not (waiting := await connection.fetch(WAITING)):
            pass
    for row in waiting:
        await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
    await connection.close()
