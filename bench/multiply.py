"""Turns a stopped server's thousand sessions into a million, by copying rows: a million requests would take minutes."""

import itertools
import sqlite3
from pathlib import Path
from typing import Final
from uuid import UUID

COPY_SECONDS: Final = 3600
IDS: Final = """
CREATE TEMP TABLE ids AS
WITH RECURSIVE numbers (copy) AS (SELECT 1 UNION ALL SELECT copy + 1 FROM numbers WHERE copy < ?)
SELECT id AS old, copy, fresh_id() AS new FROM numbers, sessions ORDER BY copy, created_at
"""


def database(data: Path) -> Path:
    """The SQLite file of a data directory that holds the sessions."""
    for path in sorted(each for each in data.iterdir() if each.is_file()):
        with path.open("rb") as file:
            if file.read(15) == b"SQLite format 3":
                return path
    raise FileNotFoundError(f"no SQLite file in {data}")


def multiply(data: Path, copies: int) -> int:
    """Copies every session, with its tags and timers, so many times; each copy is an hour younger than the last.

    Ids grow with time, as the server's own do. Returns how many sessions there are afterwards.
    """
    db = sqlite3.connect(database(data), isolation_level=None)
    # A crash here only spoils a temporary file.
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        db.execute(f"PRAGMA {pragma}")
    fresh = itertools.count(UUID("ffff0000-0000-7000-8000-000000000000").int)
    db.create_function("fresh_id", 0, lambda: next(fresh).to_bytes(16, "big"))
    db.execute("BEGIN")
    db.execute(IDS, (copies,))
    for table, key in (("tags", "session"), ("timers", "session"), ("sessions", "id")):
        _copy(db, table, key)
    db.execute("COMMIT")
    db.execute("PRAGMA optimize")
    (count,) = db.execute("SELECT count(*) FROM sessions").fetchone()
    db.execute("PRAGMA journal_mode = WAL")
    db.close()
    return int(count)


def _copy(db: sqlite3.Connection, table: str, key: str) -> None:
    columns = [str(row[1]) for row in db.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(_value(column, key) for column in columns)
    # The names are the schema's own; unique outside names stay with the originals.
    db.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608
        f"FROM ids JOIN {table} o ON o.{key} = ids.old ORDER BY ids.copy, ids.new"
    )


def _value(column: str, key: str) -> str:
    match column:
        case "external_id":
            return "NULL"
        case "created_at":
            return f"o.created_at + ids.copy * {COPY_SECONDS * 1_000_000}"
        case _:
            return "ids.new" if column == key else f"o.{column}"
