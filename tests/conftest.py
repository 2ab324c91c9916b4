"""Fixtures that any test may ask for: databases, stores over them, and the services over those."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from sojourn.ports import Store
from tests.support.clock import HandClock
from tests.support.databases import Database, Lending, PostgresDatabase, SqliteDatabase, opened
from tests.support.memory import MEMORY, has_memory
from tests.support.postgres import PostgresServer
from tests.support.processes import process
from tests.support.world import World, open_world

# No test asserts how long something takes, drawn examples included; a failure prints how to draw it again.
settings.register_profile("sojourn", deadline=None, print_blob=True)
settings.load_profile("sojourn")

# What they prove of durability is what survives a killed process, and that needs no disk to wait for.
if has_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# A shell that starts the tests behind itself has them ignore Ctrl-C, and with them every process that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    try:
        server = PostgresServer()
    except Exception as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"no PostgreSQL could be started: {error}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def lending(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Lending:
    """Databases with every table and no row."""
    name = postgres_server.create()

    async def migrate() -> None:
        database = PostgresDatabase(postgres_server, name, tmp_path_factory.getbasetemp())
        async with opened(database, HandClock()):
            pass

    postgres_server.aside.run(migrate())
    return Lending(postgres_server, name)


@pytest.fixture
def sqlite(tmp_path: Path) -> SqliteDatabase:
    return SqliteDatabase(tmp_path)


@pytest.fixture
def postgres(lending: Lending, tmp_path: Path) -> Iterator[PostgresDatabase]:
    with lending.lend(tmp_path) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(database: Database, clock: HandClock) -> AsyncIterator[Store]:
    async with opened(database, clock) as store:
        yield store


@pytest.fixture
async def world(database: Database, clock: HandClock) -> AsyncIterator[World]:
    async with open_world(database, clock) as world:
        yield world


@pytest.fixture
async def here(postgres: PostgresDatabase, clock: HandClock) -> AsyncIterator[World]:
    """One of two server processes of a database."""
    async with process(postgres, clock) as world:
        yield world


@pytest.fixture
async def there(postgres: PostgresDatabase, clock: HandClock) -> AsyncIterator[World]:
    """The other one."""
    async with process(postgres, clock) as world:
        yield world
