"""A gate between a test and a tool that runs in another process: the tool stands there until the test opens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Self

from tests.chaos.process import BOUND_SECONDS


async def pass_gate(port: int, key: str) -> str:
    """The tool's side. It says who it is, and waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"{key}\n".encode())
        return (await reader.readline()).decode()
    finally:
        writer.close()


class Gate:
    """The test's side, for one tool's run."""

    def __init__(self) -> None:
        self.port = 0
        self._arrived = asyncio.Event()
        self._left = asyncio.Event()
        self._writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def standing(cls) -> AsyncGenerator[Self]:
        gate = cls()
        listener = await asyncio.start_server(gate._meet, "127.0.0.1", 0)
        gate.port = listener.sockets[0].getsockname()[1]
        async with listener:
            yield gate

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        self._writer = writer
        self._arrived.set()
        # A tool that was stopped may leave what was said to it unread, which resets the connection.
        with suppress(ConnectionResetError):
            await reader.read()
        self._left.set()
        writer.close()

    async def arrival(self) -> None:
        async with asyncio.timeout(BOUND_SECONDS):
            await self._arrived.wait()

    def open(self) -> None:
        self._writer.write(b"pass\n")

    async def departure(self) -> None:
        """Return once the tool is gone, whether it went through or was stopped."""
        async with asyncio.timeout(BOUND_SECONDS):
            await self._left.wait()
