"""The two databases of a store test. Each can be opened, closed and opened again, and asked behind the store's back."""

import sqlite3
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

from sojourn.domain.log import StoredEvent
from sojourn.ports import Clock, Published, Store
from sojourn.store.postgres import PostgresStore
from sojourn.store.sqlite import SqliteStore
from sojourn.store.where import Dialect
from tests.support.postgres import Connection, PostgresServer


def tell_nobody(events: Sequence[StoredEvent]) -> None:
    """For a store whose commits nobody watches."""


class Told:
    """Remembers what was published, in order."""

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []

    def __call__(self, events: Sequence[StoredEvent]) -> None:
        self.events.extend(events)


class Database(Protocol):
    dialect: Dialect
    # For what belongs beside the database.
    directory: Path

    async def open(self, clock: Clock, published: Published = tell_nobody) -> Store: ...
    def query(self, text: str) -> list[tuple[Any, ...]]:
        """What another connection sees, or does. Ids are bytes."""
        ...


class SqliteDatabase:
    dialect: Dialect = "sqlite"

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "sojourn.db"

    async def open(self, clock: Clock, published: Published = tell_nobody) -> Store:
        return SqliteStore(self.path, clock, published)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(text).fetchall()


class PostgresDatabase:
    dialect: Dialect = "postgres"

    def __init__(self, server: PostgresServer, name: str, directory: Path) -> None:
        self.directory = directory
        self.name = name
        self.url = server.url(name)
        self._connection = Connection(server.aside, self.url)

    async def open(self, clock: Clock, published: Published = tell_nobody) -> Store:
        return await PostgresStore.open(self.url, clock, published)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return self._connection.query(text)

    def close(self) -> None:
        self._connection.close()


@contextmanager
def fresh(server: PostgresServer, template: str, directory: Path) -> Generator[PostgresDatabase]:
    """A database of its own for one test."""
    name = server.create(template)
    database = PostgresDatabase(server, name, directory)
    try:
        yield database
    finally:
        database.close()
        server.drop(name)


@asynccontextmanager
async def opened(
    database: Database, clock: Clock, published: Published = tell_nobody
) -> AsyncGenerator[Store]:
    store = await database.open(clock, published)
    try:
        yield store
    finally:
        await store.close()
