"""The whole application on real services and SQLite, asked in process or over a loopback socket."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import Message

from sojourn.config import Settings
from sojourn.domain.ids import DEFAULT_ORG, OrgId, uuid7
from sojourn.service.core import Services
from sojourn.web.app import App, build_app
from sojourn.web.server import Protocol
from sojourn.wiring import DATABASE_FILE, open_services
from tests.support.databases import start_migrated

BOUND_SECONDS = 60.0
ADMIN = "test-admin-3f1d9c"


@dataclass(frozen=True)
class Served:
    """`client` asks as an admin of the default organisation, with paths relative to `/sojourn/v1/`."""

    app: App
    services: Services
    client: httpx.AsyncClient

    async def other_role(self, role: Any) -> httpx.AsyncClient:
        """A client of the same organisation with a key of another role."""
        return ask_in_process(self.app, await self.services.access.issue_key(DEFAULT_ORG, role, role))

    async def other_org(self) -> httpx.AsyncClient:
        """A client of an organisation of its own."""
        org = OrgId(uuid7())
        await self.services.access.ensure_org(org, "other")
        await self.services.agents.ensure_default(org)
        return ask_in_process(self.app, await self.services.access.issue_key(org, "other", "admin"))


def ask_in_process(app: App, token: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://sojourn/sojourn/v1",
        headers={"authorization": f"Bearer {token}"},
    )


@asynccontextmanager
async def open_served(data_dir: Path, **changes: Any) -> AsyncGenerator[Served]:
    settings = replace(Settings(data_dir=data_dir, bootstrap_key=ADMIN), **changes)
    start_migrated(data_dir / DATABASE_FILE)
    async with open_services(settings) as running:
        app = build_app(running.services, settings.max_body_bytes)
        async with ask_in_process(app, ADMIN) as client:
            yield Served(app, running.services, client)


class Loopback(uvicorn.Server):
    """The server that `sojourn serve` runs, on a free port, without its handling of signals."""

    def __init__(self, app: App) -> None:
        super().__init__(
            uvicorn.Config(app, port=0, log_level="warning", ws="none", http=Protocol, lifespan="off")
        )
        self._app = app
        self.listening = asyncio.Event()
        self.url = ""

    async def run_without_signals(self) -> None:
        await self._serve()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.url = f"http://127.0.0.1:{self.servers[0].sockets[0].getsockname()[1]}"
        self.listening.set()

    async def shutdown(self, sockets: Any = None) -> None:
        self._app.close_streams()
        await super().shutdown(sockets)

    def unsent_bytes(self) -> int:
        """What is written to clients that do not read it, in this process's memory."""
        transports = [connection.transport for connection in self.server_state.connections]
        return sum(transport.get_write_buffer_size() for transport in transports)


@asynccontextmanager
async def loopback(app: App) -> AsyncGenerator[Loopback]:
    """The application on a loopback port. It is shut down as by a signal at the end."""
    server = Loopback(app)
    task = asyncio.create_task(server.run_without_signals())
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            await server.listening.wait()
        yield server
    finally:
        server.should_exit = True
        async with asyncio.timeout(BOUND_SECONDS):
            await task


@asynccontextmanager
async def listening(app: App) -> AsyncGenerator[str]:
    """The base URL of the application on a loopback port."""
    async with loopback(app) as server:
        yield server.url


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask_raw(
    app: App,
    method: str,
    path: bytes,
    headers: Sequence[tuple[bytes, bytes]] = (),
    chunks: Sequence[bytes] = (b"",),
    query: bytes = b"",
) -> Answer:
    """A request that no well-behaved client would send, byte for byte."""
    received = [
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop(0) if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "raw_path": path,
        "path": path.decode("latin-1"),
        "query_string": query,
        "headers": [(b"authorization", b"Bearer " + ADMIN.encode()), *headers],
    }
    await app(scope, receive, send)
    named = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], named, b"".join(message.get("body", b"") for message in sent[1:]))
