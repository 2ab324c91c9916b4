"""A provider on loopback: a small HTTP server that answers each request with the next of the replies it was given."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """An HTTP response. `pieces` leave one by one, chunked; `then` says what follows the last one."""

    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    pieces: tuple[str, ...] = ()
    then: str = "end"  # or "break": the connection drops, or "hang": nothing, until the client goes


@dataclass
class Seen:
    path: str
    headers: dict[str, str]
    body: Json


@dataclass
class LoopbackProvider:
    base_url: str
    replies: list[Reply]
    seen: list[Seen] = field(default_factory=list[Seen])
    connections: int = 0
    # What is always answered at a path, and not looked at.
    standing: dict[str, Reply] = field(default_factory=dict[str, Reply])
    client_left: asyncio.Event = field(default_factory=asyncio.Event)
    _handlers: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._handlers.add(asyncio.create_task(self._serve(reader, writer)))

    async def hang_up(self) -> None:
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (reply := await self._read_request(reader)) is not None:
            writer.write(_head(reply))
            for piece in reply.pieces:
                data = piece.encode()
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
            if reply.then == "hang":
                await writer.drain()
                await reader.read()
                self.client_left.set()
            if reply.then != "end":
                return
            writer.write(b"0\r\n\r\n")

    async def _read_request(self, reader: asyncio.StreamReader) -> Reply | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        except asyncio.IncompleteReadError:
            return None
        headers = {
            key.lower(): value for key, _, value in (line.partition(": ") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        path = head[0].split(" ")[1]
        if path in self.standing:
            return self.standing[path]
        self.seen.append(Seen(path, headers, json.loads(body)))
        return self.replies.pop(0)


def _head(reply: Reply) -> bytes:
    headers = {"content-type": reply.content_type, "transfer-encoding": "chunked"} | dict(reply.headers)
    lines = [f"HTTP/1.1 {reply.status} Reply", *(f"{key}: {value}" for key, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@asynccontextmanager
async def loopback_provider(*replies: Reply) -> AsyncGenerator[LoopbackProvider, None]:
    provider = LoopbackProvider("", list(replies))
    server = await asyncio.start_server(provider.accept, "127.0.0.1", 0)
    provider.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        try:
            yield provider
        finally:
            await provider.hang_up()


def events(*data: object, done: str = "[DONE]") -> tuple[str, ...]:
    """Server-sent events that carry JSON, and the end mark of OpenAI's chat completions unless `done` is empty."""
    return (*(f"data: {json.dumps(item)}\n\n" for item in data), *([f"data: {done}\n\n"] if done else []))


def named_events(*data: Json) -> tuple[str, ...]:
    """Server-sent events named by the `type` in their data, as Anthropic and OpenAI's Responses send them."""
    return tuple(f"event: {item['type']}\ndata: {json.dumps(item)}\n\n" for item in data)


def failed(status: int, body: object, **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    return Reply(status, kind, {key.replace("_", "-"): value for key, value in headers.items()}, (text,))
