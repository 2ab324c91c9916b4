"""What retention removes from the log is kept beside it, by the database itself, so that the checks have all of it."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

import asyncpg

from tests.support.snapshot import PURGED_COLUMNS, PURGED_TABLE

_COLUMNS: Final = f"org, session, {PURGED_COLUMNS}"
_GONE: Final = ", ".join(f"OLD.{column}" for column in _COLUMNS.split(", "))
_KEEP: Final = f"INSERT INTO {PURGED_TABLE} ({_COLUMNS}) VALUES ({_GONE});"

_ON_SQLITE: Final = (
    f"CREATE TABLE IF NOT EXISTS {PURGED_TABLE} AS SELECT * FROM events WHERE false",
    f"CREATE TRIGGER IF NOT EXISTS keep_purged AFTER DELETE ON events BEGIN {_KEEP} END",
)
# Two servers may come up at once.
_ON_POSTGRES: Final = (
    "SELECT pg_advisory_xact_lock(1)",
    f"CREATE TABLE IF NOT EXISTS {PURGED_TABLE} AS SELECT * FROM events WHERE false",
    f"CREATE OR REPLACE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_KEEP} RETURN NULL; END $$",
    "CREATE OR REPLACE TRIGGER keep_purged AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION kept()",
)


async def keep_purged(path: Path, database_url: str | None) -> None:
    """Of a database that has its tables, before anybody writes."""
    if database_url is None:
        _keep_on_sqlite(path, _ON_SQLITE)
        return
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            for statement in _ON_POSTGRES:
                await connection.execute(statement)
    finally:
        await connection.close()


def _keep_on_sqlite(path: Path, statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
