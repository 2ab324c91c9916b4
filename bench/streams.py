"""Server-sent events, read without interpreting more than a frame's end."""

import asyncio
import time
from collections.abc import Callable
from typing import cast

import httptools

from bench.wire import HOST, request

OnFrame = Callable[[bytes, int], None]
"""Called with a frame, without its blank line, and the perf_counter_ns of its arrival."""


def event_of(frame: bytes) -> bytes:
    """The event's name; empty for a comment."""
    start = frame.find(b"event: ")
    if start < 0:
        return b""
    end = frame.find(b"\n", start)
    return frame[start + 7 : end if end >= 0 else len(frame)]


class Stream(asyncio.Protocol):
    """One subscription. `ready` ends when the server says that the replay has caught up."""

    def __init__(self, data: bytes, on_frame: OnFrame) -> None:
        self._request = data
        self._on_frame = on_frame
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._rest = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.comments = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status != 200:
            self.ready.set_exception(ConnectionError(f"the stream was refused: {status}"))

    def on_body(self, body: bytes) -> None:
        now = time.perf_counter_ns()
        *frames, self._rest = (self._rest + body).split(b"\n\n")
        for frame in frames:
            if frame.startswith(b":"):
                self.comments += 1
            elif not self.ready.done() and event_of(frame) == b"caught_up":
                self.ready.set_result(None)
            else:
                self._on_frame(frame, now)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the stream ended before it caught up"))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def ignore(frame: bytes, now: int) -> None:
    """For a stream that is only held."""


async def subscribe(port: int, path: str, on_frame: OnFrame) -> Stream:
    """Open a stream and wait until it has caught up."""
    data = request("GET", path, headers={"accept": "text/event-stream"})
    _, stream = await asyncio.get_running_loop().create_connection(lambda: Stream(data, on_frame), HOST, port)
    await stream.ready
    return stream


async def subscribe_all(port: int, paths: list[str], on_frame: OnFrame, at_once: int = 64) -> list[Stream]:
    """Open many streams, a few at a time so that the listen queue never overflows."""
    streams: list[Stream] = []
    for start in range(0, len(paths), at_once):
        batch = paths[start : start + at_once]
        streams += await asyncio.gather(*(subscribe(port, path, on_frame) for path in batch))
    return streams
