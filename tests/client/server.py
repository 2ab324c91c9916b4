"""A real server in a process of its own, and a wire to it that can be cut."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.support.forked import Program, start

BOUND_SECONDS = 90.0


def environment(**settings: str) -> dict[str, str]:
    """The environment without whatever the developer's own shell says to Sojourn."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    return kept | settings


class ServerProcess:
    """`sojourn serve` on a free port, which it keeps when it is started again."""

    def __init__(self, data_dir: Path, model: str = "sim/script", **settings: str) -> None:
        """`settings` are variables of its environment."""
        self.data_dir = data_dir
        self.url = ""
        self.key = ""
        self._model = model
        self._settings = settings
        self._port = 0
        self._process: Program | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        options = ["--json", "--port", str(self._port), "--data-dir", str(self.data_dir)]
        async with asyncio.timeout(BOUND_SECONDS):
            self._process = await start(
                *("serve", *options, "--default-model", self._model),
                environment=environment(**self._settings),
            )
            line = await self._process.outputs[0].readline()
        assert line, "the server ended before it listened; what it said stands above"
        started = json.loads(line)
        self.url = started["url"]
        self.key = started["key"] or self.key
        self._port = _port_of(self.url)

    async def kill(self) -> None:
        """SIGKILL, as by a power cut."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, as by a deployment; the status that the process ended with."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        async with asyncio.timeout(BOUND_SECONDS):
            return await self._process.wait()


class Wire:
    """A TCP proxy in front of a server. `allowance` says how many bytes of answers each new connection may carry."""

    def __init__(self, port: int, allowance: Callable[[], int | None]) -> None:
        self.url = ""
        self.cuts = 0
        # Nobody gets through while it is.
        self.is_down = False
        self.is_used = asyncio.Event()
        self._port = port
        self._allowance = allowance
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break every connection, in the middle of whatever it carries."""
        for writer in self._open:
            writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_down:
            writer.transport.abort()
            return
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except ConnectionRefusedError:
            writer.transport.abort()
            return
        self._open |= {writer, server_writer}
        self.is_used.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pump(reader, server_writer, None))
                tasks.create_task(self._pump(server_reader, writer, self._allowance()))
        except* ConnectionError:
            pass
        finally:
            for end in (writer, server_writer):
                end.transport.abort()
            self._open -= {writer, server_writer}

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowance: int | None
    ) -> None:
        """Copy until the end, or until `allowance` bytes are through, which cuts the connection."""
        while data := await reader.read(4096):
            if allowance is not None and len(data) >= allowance:
                writer.write(data[:allowance])
                await writer.drain()
                self.cuts += 1
                raise ConnectionResetError
            allowance = None if allowance is None else allowance - len(data)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


@asynccontextmanager
async def wire_to(url: str, allowance: Callable[[], int | None] = lambda: None) -> AsyncGenerator[Wire, None]:
    wire = Wire(_port_of(url), allowance)
    listener = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        listener.close()
        wire.cut()
        await listener.wait_closed()


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
