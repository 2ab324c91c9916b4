"""Several processes of one Postgres within a test: services, hub and wake-ups of their own each, one event loop."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress

from sojourn.service.relay import Relay
from sojourn.store.postgres_wakeups import APPLICATION_NAME, PostgresWakeups
from tests.support.clock import HandClock
from tests.support.databases import PostgresDatabase
from tests.support.postgres import Connection, PostgresServer
from tests.support.world import World, open_world

_LISTENERS = (
    f"FROM pg_stat_activity WHERE application_name = '{APPLICATION_NAME}' AND datname = current_database()"
)


class WatchedRelay(Relay):
    """Tells when it was made to look around, which each new connection does first."""

    def __init__(self, world: World) -> None:
        super().__init__(world.services.hub, world.services.feed)
        self.looked = asyncio.Event()

    def look_around(self) -> None:
        super().look_around()
        self.looked.set()


@asynccontextmanager
async def listening(world: World, database: PostgresDatabase) -> AsyncGenerator[WatchedRelay]:
    """The world hears and tells the other processes from now on. Nothing but hints tells it anything."""
    wakeups, relay = PostgresWakeups(database.url), WatchedRelay(world)
    world.services.hub.connect_processes(wakeups)
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(wakeups.run(relay))]
    try:
        async with asyncio.timeout(20):
            await relay.looked.wait()
        yield relay
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def process(database: PostgresDatabase, clock: HandClock) -> AsyncGenerator[World]:
    async with open_world(database, clock) as world, listening(world, database):
        yield world


@contextmanager
def deaf(server: PostgresServer, database: PostgresDatabase) -> Generator[None]:
    """Whoever listens is cut off, and may not come back before the end. Other connections go on."""
    admin = Connection(server.aside, server.url("postgres"))
    assert database.query(f"SELECT count(*) > 0 {_LISTENERS}") == [(True,)]
    admin.query(f"ALTER DATABASE {database.name} WITH ALLOW_CONNECTIONS false")
    try:
        database.query(f"SELECT pg_terminate_backend(pid, 10000) {_LISTENERS}")
        assert database.query(f"SELECT count(*) {_LISTENERS}") == [(0,)]
        yield
    finally:
        admin.query(f"ALTER DATABASE {database.name} WITH ALLOW_CONNECTIONS true")
        admin.close()
