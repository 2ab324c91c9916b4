"""Opening a database file: one process owns it, and it is brought to the schema of this release."""

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sojourn.ports import Clock
from sojourn.store import migrate, rows

_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class FileOwned(Exception):
    """Another process owns the database file."""


class FileDamaged(Exception):
    """The file is no database, or a broken one."""


def open_owned(path: Path, clock: Clock) -> tuple[int, sqlite3.Connection, Sequence[str]]:
    """The lock's descriptor, the writer's connection, and the migrations that were applied.

    FileOwned while another process lives that opened it so, FileDamaged for a file that SQLite cannot read.
    """
    lock = _own(path)
    connection: sqlite3.Connection | None = None
    try:
        connection = connect(path)
        return lock, connection, _migrate(connection, clock)
    except BaseException as error:
        if connection is not None:
            connection.close()
        os.close(lock)
        if isinstance(error, sqlite3.DatabaseError) and error_code(error) in _DAMAGED:
            raise FileDamaged(f"{path} is damaged or no database: {error}.") from error
        raise


def error_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, 0 for an error of the driver."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _own(path: Path) -> int:
    """Hold the file against other processes for as long as this one lives; the kernel lets go when it dies."""
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise FileOwned(f"{path} is in use by another Sojourn process.") from None
    return lock


def connect(path: Path, readonly: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")
    # A savepoint keeps the old image of every page that its verb touches; in a temporary file, which is the default,
    # that costs a third of a create.
    connection.execute("PRAGMA temp_store = MEMORY")
    # SQLite's own knows ASCII only.
    connection.create_function("lower_unicode", 1, _lower, deterministic=True)
    if readonly:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _lower(value: str | bytes | float | None) -> str | bytes | float | None:
    return value.lower() if isinstance(value, str) else value


def _migrate(connection: sqlite3.Connection, clock: Clock) -> Sequence[str]:
    connection.execute(migrate.LEDGER)
    applied = dict(connection.execute("SELECT name, sha256 FROM schema_migrations").fetchall())
    pending = migrate.pending(migrate.load_migrations("sqlite"), applied)
    if pending:
        now = rows.to_micros(clock.now())
        # All or none, and one wait for the disk. executescript would commit first what was begun before it, so the
        # script carries its own transaction, and the ledger's rows as literals: names of files, and hex digests.
        connection.executescript(
            "BEGIN IMMEDIATE;\n"
            + "".join(
                f"{one.text}\nINSERT INTO schema_migrations VALUES ('{one.name}', '{one.sha256}', {now});\n"
                for one in pending
            )
            + "COMMIT;"
        )
    return [migration.name for migration in pending]
