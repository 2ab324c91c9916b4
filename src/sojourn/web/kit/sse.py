"""Server-sent events: one writer for the streams of every surface.

A stream costs its request's task, one task that waits for the client to go, and no timer of its own.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar, runtime_checkable

from starlette.types import Receive, Send

from sojourn.domain.ids import EventId
from sojourn.domain.log import StoredEvent
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header

logger = logging.getLogger(__name__)

T = TypeVar("T")

HEARTBEAT: Final = b": hb\n\n"
HEARTBEAT_TICKS: Final = 10
FRAMES_A_TURN: Final = 64
_HEADERS: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    # Proxies that buffer (nginx) would hold events back until their buffer is full.
    (b"x-accel-buffering", b"no"),
)


def frame(event: str, data: bytes, id: str | None = None) -> bytes:
    """One event (WHATWG HTML section 9.2.6). `data` is JSON, which has no line breaks of its own."""
    head = f"event: {event}\n" if id is None else f"id: {id}\nevent: {event}\n"
    return b"%bdata: %b\n\n" % (head.encode(), data)


class Frames:
    """Encoded events, shared by the streams of one surface; the oldest go when `max_bytes` are held."""

    def __init__(self, encode: Callable[[StoredEvent], bytes], max_bytes: int = 4 * 1024 * 1024) -> None:
        self._encode = encode
        self._max_bytes = max_bytes
        self.held_bytes = 0
        self._held: OrderedDict[EventId, tuple[str, bytes]] = OrderedDict()

    def of(self, event: StoredEvent) -> bytes:
        held = self._held.get(event.id)
        # Redaction replaces an event's data, so an entry stands for this data only; it is nearly always the
        # same object, which makes the comparison free.
        if held is not None and held[0] == event.data:
            return held[1]
        encoded = self._encode(event)
        if held is None and len(encoded) <= self._max_bytes:
            self._hold(event, encoded)
        return encoded

    def _hold(self, event: StoredEvent, encoded: bytes) -> None:
        self._held[event.id] = (event.data, encoded)
        self.held_bytes += len(encoded)
        while self.held_bytes > self._max_bytes:
            _, (_, dropped) = self._held.popitem(last=False)
            self.held_bytes -= len(dropped)


class Heart:
    """The one timer behind the comment heartbeats of all streams.

    It ticks every second while there are streams and beats a tenth of them, so that ten thousand idle streams are
    written to evenly and not all at once.
    """

    def __init__(self, tick_seconds: float = 1) -> None:
        self.slots: list[set[Beats]] = [set() for _ in range(HEARTBEAT_TICKS)]
        self._tick_seconds = tick_seconds
        self._slot = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_ticking(self) -> bool:
        return self._timer is not None

    def join(self, stream: "Beats") -> int:
        """Beat this stream from now on; returns what `leave` wants to know."""
        self.slots[self._slot].add(stream)
        if self._timer is None:
            self._wait()
        return self._slot

    def leave(self, stream: "Beats", slot: int) -> None:
        self.slots[slot].discard(stream)

    def tick(self) -> None:
        self._slot = (self._slot + 1) % HEARTBEAT_TICKS
        for stream in self.slots[self._slot]:
            stream.beat()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if any(self.slots):
            self._wait()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._tick_seconds, self.tick)


class Beats(Protocol):
    def beat(self) -> None: ...


@runtime_checkable
class _Closable(Protocol):
    """A source that holds something until it is closed: an async generator."""

    async def aclose(self) -> None: ...


class EventStream(Generic[T]):
    """A reply that goes on for as long as its source does, its client stays and the server runs.

    What is `first` was taken from `source` before the status line went out, so that whatever is wrong with the
    request is still answered as a problem. `encode` makes a frame of an item, empty for none. `failed` makes the
    surface's own last frame when the source fails later. `headers` are the surface's own.
    """

    __slots__ = (
        "_beating",
        "_encode",
        "_failed",
        "_first",
        "_following",
        "_gone",
        "_headers",
        "_heart",
        "_send",
        "_source",
    )

    def __init__(
        self,
        heart: Heart,
        source: AsyncIterator[T],
        first: Sequence[T],
        encode: Callable[[T], bytes],
        failed: Callable[[Exception, str], bytes],
        headers: Sequence[Header] = (),
    ) -> None:
        self._heart = heart
        self._headers = headers
        self._source = source
        self._first = first
        self._encode = encode
        self._failed = failed
        self._send: Send
        self._beating: asyncio.Task[None] | None = None
        self._following = True
        self._gone = False

    async def write(self, request: Request, send: Send) -> None:
        self._send = send
        headers = [(b"x-request-id", request.id.encode()), *_HEADERS, *self._headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if request.method == "HEAD":
            await self._close()
            await send({"type": "http.response.body"})
            return
        watch = asyncio.create_task(self._watch(request.receive, asyncio.current_task()))
        slot = self._heart.join(self)
        try:
            last = await self._follow(request.id)
        finally:
            self._heart.leave(self, slot)
            watch.cancel()
            if self._beating is not None:
                # A heartbeat that still waits for the client must not be written after the end.
                self._beating.cancel()
            await self._close()
        if not self._gone:
            await send({"type": "http.response.body", "body": last})

    async def _follow(self, request_id: str) -> bytes:
        """Write frames until the source ends or the client goes; the frame to end with."""
        task = asyncio.current_task()
        try:
            written = 0
            first, self._first = self._first, ()
            for item in first:
                await self._write_frame(item)
            async for item in self._source:
                await self._write_frame(item)
                written += 1
                if written % FRAMES_A_TURN == 0:
                    # A replay suspends nowhere by itself while its client keeps up, and would keep everyone waiting.
                    await asyncio.sleep(0)
            return b""
        except asyncio.CancelledError:
            # Ours, from `_watch`, unless somebody else wants this task to stop as well.
            if task is None or not self._gone or task.uncancel():
                raise
            return b""
        except Exception as error:
            logger.exception("the stream of request %s failed", request_id)
            return self._failed(error, request_id)
        finally:
            self._following = False

    async def _write_frame(self, item: T) -> None:
        encoded = self._encode(item)
        if encoded:
            await self._send({"type": "http.response.body", "body": encoded, "more_body": True})

    async def _watch(self, receive: Receive, follower: "asyncio.Task[None] | None") -> None:
        """Stop following when the client has gone. The server says so by a message and by nothing else:

        what is sent to a closed connection is dropped in silence.
        """
        while (await receive())["type"] != "http.disconnect":
            pass
        # The task is cancelled only inside `_follow`, which is where the cancellation is taken back.
        if self._following and follower is not None:
            self._gone = True
            follower.cancel()

    async def _close(self) -> None:
        if isinstance(self._source, _Closable):
            await self._source.aclose()

    def beat(self) -> None:
        """Write a comment, unless the last one still waits for a client that does not read."""
        if self._following and (self._beating is None or self._beating.done()):
            message = {"type": "http.response.body", "body": HEARTBEAT, "more_body": True}
            self._beating = asyncio.ensure_future(self._send(message))


async def open_stream(
    heart: Heart,
    source: AsyncIterator[T],
    encode: Callable[[T], bytes],
    failed: Callable[[Exception, str], bytes],
    headers: Sequence[Header] = (),
) -> EventStream[T]:
    """Wait for the first item; what the source raises before it is raised here, while it can still be answered."""
    try:
        first = [await anext(source)]
    except StopAsyncIteration:
        first = list[T]()
    return EventStream(heart, source, first, encode, failed, headers)
