"""The two databases of a store test. Each can be opened, closed and opened again, and asked behind the store's back."""

import os
import sqlite3
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

from sojourn.domain.log import StoredEvent
from sojourn.ports import Clock, Published, Store
from sojourn.store.postgres import PostgresStore
from sojourn.store.sqlite import SqliteStore
from sojourn.store.sqlite_file import open_owned
from sojourn.store.where import Dialect
from tests.support.clock import HandClock
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


@cache
def migrated_file() -> bytes:
    """An SQLite database with every table and no row, as this process once made it: a copy costs next to nothing."""
    with TemporaryDirectory() as directory:
        lock, connection, _ = open_owned(Path(directory) / "sojourn.db", HandClock())
        connection.close()
        os.close(lock)
        return (Path(directory) / "sojourn.db").read_bytes()


def start_migrated(path: Path) -> None:
    """A file that is not there yet starts with every table."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(migrated_file())


class SqliteDatabase:
    dialect: Dialect = "sqlite"

    def __init__(self, directory: Path, migrated: bool = True) -> None:
        """`migrated` says whether a file that is not there yet starts with the tables, or empty."""
        self.directory = directory
        self.path = directory / "sojourn.db"
        self._migrated = migrated

    async def open(self, clock: Clock, published: Published = tell_nobody) -> Store:
        if self._migrated:
            start_migrated(self.path)
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


@dataclass(eq=False)
class _Lent:
    name: str
    made_as: object
    uses: int = 0


class Lending:
    """Databases with every table and no row, lent to one test after the other.

    To make one and to drop it costs Postgres more than most tests do, and its first connections cost more than
    those to a database that was used. So what comes back is emptied and lent again, but only if it is as it was
    made: the same tables, indexes, constraints and migrations, no settings of its own, no statistics (a plan may
    follow from them), and nobody connected, who could write to it behind the next test's back.
    """

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._back: list[_Lent] = []

    @contextmanager
    def lend(self, directory: Path) -> Generator[PostgresDatabase]:
        lent = self._emptied() or self._made()
        lent.uses += 1
        database = PostgresDatabase(self._server, lent.name, directory)
        try:
            yield database
        finally:
            database.close()
            self._back.append(lent)

    def _made(self) -> _Lent:
        name = self._server.create(self._template)
        with closing(Connection(self._server.aside, self._server.url(name))) as connection:
            return _Lent(name, connection.query(_AS_IT_IS))

    def _emptied(self) -> _Lent | None:
        """One that came back and has nobody connected by now, empty again."""
        for lent in [lent for lent in self._back if self._server.connections(lent.name) == 0]:
            self._back.remove(lent)
            if lent.uses < MOST_USES and self._empty(lent):
                return lent
            self._server.drop(lent.name)
        return None

    def _empty(self, lent: _Lent) -> bool:
        with closing(Connection(self._server.aside, self._server.url(lent.name))) as connection:
            if connection.query(_AS_IT_IS) != lent.made_as:
                return False
            connection.query(_EMPTY)
            return True


# What was deleted stays in the files until a vacuum, so a database is not used for ever.
MOST_USES: Final = 50
_AS_IT_IS: Final = """
    SELECT (SELECT count(*) FROM pg_class), (SELECT max(oid) FROM pg_class), (SELECT count(*) FROM pg_attribute),
           (SELECT count(*) FROM pg_constraint), (SELECT count(*) FROM pg_trigger), (SELECT count(*) FROM pg_proc),
           (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384),
           (SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
            WHERE d.datname = current_database()),
           (SELECT string_agg(name || sha256, ',' ORDER BY name) FROM schema_migrations)
"""
# In one statement, and with no check of what refers to what: nothing is left in the end.
_EMPTY: Final = """
    DO $$
    DECLARE one text;
    BEGIN
        SET LOCAL session_replication_role = replica;
        FOR one IN SELECT tablename FROM pg_tables
                   WHERE schemaname = 'public' AND tablename <> 'schema_migrations' LOOP
            EXECUTE format('DELETE FROM %I', one);
        END LOOP;
    END $$
"""


@asynccontextmanager
async def opened(
    database: Database, clock: Clock, published: Published = tell_nobody
) -> AsyncGenerator[Store]:
    store = await database.open(clock, published)
    try:
        yield store
    finally:
        await store.close()
