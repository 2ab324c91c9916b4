"""How a server is reached: over guarded HTTP, or as a guarded program's standard streams. Imports the library."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client._transport import TransportStreams
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from sojourn.outgoing import Outgoing
from sojourn.outgoing.transport import GuardedTransport
from sojourn.runners.program import Program, start_guarded

MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024

Incoming = SessionMessage | Exception


@asynccontextmanager
async def over_http(
    outgoing: Outgoing, url: str, headers: Mapping[str, str], seconds: float
) -> AsyncGenerator[TransportStreams]:
    timeout = httpx2.Timeout(30.0, read=seconds + 30.0)
    async with (
        httpx2.AsyncClient(
            transport=_Bounded(GuardedTransport(outgoing)),
            headers={"accept-encoding": "identity", **headers},
            timeout=timeout,
            trust_env=False,
        ) as client,
        streamable_http_client(url, http_client=client) as streams,
    ):
        yield streams


class _Bounded(httpx2.AsyncBaseTransport):
    """No answer may fill this process's memory."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._inner:
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise httpx2.ReadError(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


@asynccontextmanager
async def over_stdio(
    command: tuple[str, ...], directory: Path, variables: Mapping[str, str]
) -> AsyncGenerator[TransportStreams]:
    program = await start_guarded(command, directory, variables, longest_line_bytes=MAX_ANSWER_BYTES)
    try:
        said, heard = anyio.create_memory_object_stream[Incoming](0)
        asked, to_ask = anyio.create_memory_object_stream[SessionMessage](0)
        async with said, heard, asked, to_ask, anyio.create_task_group() as tasks:
            tasks.start_soon(_hear, program, said)
            tasks.start_soon(_tell, program, to_ask)
            try:
                yield heard, asked
            finally:
                tasks.cancel_scope.cancel()
    finally:
        # The guard kills it and all that it started as soon as the leash is let go, whether or not this is awaited.
        await program.kill()


async def _hear(program: Program, said: MemoryObjectSendStream[Incoming]) -> None:
    """Until the program's end, which is the connection's."""
    async with said:
        while True:
            try:
                line = await program.reader.readline()
            except ValueError:
                # A line that is too long: what follows is the middle of something.
                return
            if not line:
                return
            if line.strip():
                await said.send(_message(line))


def _message(line: bytes) -> Incoming:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _tell(program: Program, to_ask: MemoryObjectReceiveStream[SessionMessage]) -> None:
    async with to_ask:
        async for item in to_ask:
            text = item.message.model_dump_json(by_alias=True, exclude_unset=True)
            program.writer.write(text.encode() + b"\n")
            try:
                await program.writer.drain()
            except ConnectionError:
                # It has ended; whoever listens to it sees that.
                return
