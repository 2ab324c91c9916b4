import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from starlette.types import Message

from sojourn.domain.ids import DEFAULT_ORG, EventId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.web.kit.request import Request
from sojourn.web.kit.sse import HEARTBEAT, Frames, Heart, frame, open_stream

BOUND_SECONDS = 10.0


class Connection:
    """The server's side of a connection: what was sent over it, a client that may go, or stop reading."""

    def __init__(self, method: str = "GET") -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()
        self.stuck = asyncio.Event()
        self.changed = asyncio.Event()
        scope = {
            "method": method,
            "raw_path": b"/",
            "headers": list[tuple[bytes, bytes]](),
            "query_string": b"",
        }
        self.request = Request(scope, self.receive)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if not self.reads.is_set():
            self.stuck.set()
        await self.reads.wait()
        if not self.gone.is_set():
            self.sent.append(message)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(BOUND_SECONDS):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def is_complete(self) -> bool:
        return self.sent[-1].get("more_body") is None


class Source:
    """Items as a test lets them come."""

    def __init__(self, *items: str) -> None:
        self.waiting = asyncio.Queue[str | Exception | None]()
        self.closed = asyncio.Event()
        for item in items:
            self.waiting.put_nowait(item)

    async def follow(self) -> AsyncGenerator[str]:
        try:
            while (item := await self.waiting.get()) is not None:
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.closed.set()


def encode(item: str) -> bytes:
    return item.encode()


def failed(error: Exception, request_id: str) -> bytes:
    return f"failed {type(error).__name__} {request_id}".encode()


async def test_a_stream_writes_what_comes_and_ends_with_its_source() -> None:
    connection, source = Connection(), Source("one ", "", "two ")
    source.waiting.put_nowait(None)
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    await stream.write(connection.request, connection.send)
    start = connection.sent[0]
    assert (start["status"], dict(start["headers"])[b"content-type"]) == (200, b"text/event-stream")
    assert connection.body == b"one two "
    assert connection.is_complete
    assert len(connection.sent) == 4
    assert source.closed.is_set()


async def test_what_the_source_raises_first_is_raised_before_anything_is_sent() -> None:
    source = Source()
    source.waiting.put_nowait(LookupError())
    with pytest.raises(LookupError):
        await open_stream(Heart(), source.follow(), encode, failed)


async def test_a_source_that_gives_nothing_makes_an_empty_stream() -> None:
    connection, source = Connection(), Source()
    source.waiting.put_nowait(None)
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    await stream.write(connection.request, connection.send)
    assert (connection.sent[0]["status"], connection.body, connection.is_complete) == (200, b"", True)


async def test_a_source_that_fails_later_ends_the_stream_with_the_surfaces_last_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connection, source = Connection(), Source("one ")
    source.waiting.put_nowait(OSError("disk"))
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    await stream.write(connection.request, connection.send)
    assert connection.body == f"one failed OSError {connection.request.id}".encode()
    assert connection.is_complete
    (record,) = caplog.records
    assert connection.request.id in record.getMessage()


async def test_a_client_that_goes_ends_the_stream_and_closes_its_source() -> None:
    connection, source = Connection(), Source("one ")
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    task = asyncio.create_task(stream.write(connection.request, connection.send))
    await connection.until(lambda: connection.body == b"one ")
    connection.gone.set()
    async with asyncio.timeout(BOUND_SECONDS):
        await task
    assert source.closed.is_set()
    assert not connection.is_complete


async def test_a_client_that_goes_while_it_does_not_read_ends_the_stream_too() -> None:
    connection, source = Connection(), Source("one ")
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    task = asyncio.create_task(stream.write(connection.request, connection.send))
    await connection.until(lambda: connection.body == b"one ")
    connection.reads.clear()
    source.waiting.put_nowait("two ")
    async with asyncio.timeout(BOUND_SECONDS):
        await connection.stuck.wait()
        connection.gone.set()
        await task
    assert source.closed.is_set()


async def test_a_server_that_cancels_a_stream_is_not_held_up() -> None:
    connection, source = Connection(), Source("one ")
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    task = asyncio.create_task(stream.write(connection.request, connection.send))
    await connection.until(lambda: connection.body == b"one ")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed.is_set()


async def test_an_idle_stream_is_kept_alive_by_comments() -> None:
    connection, source, heart = Connection(), Source("one "), Heart(tick_seconds=0.001)
    stream = await open_stream(heart, source.follow(), encode, failed)
    task = asyncio.create_task(stream.write(connection.request, connection.send))
    await connection.until(lambda: connection.body.count(HEARTBEAT) >= 3)
    source.waiting.put_nowait(None)
    async with asyncio.timeout(BOUND_SECONDS):
        await task
    assert connection.is_complete


async def test_a_heartbeat_that_waits_for_a_client_is_the_only_one_and_comes_not_after_the_end() -> None:
    connection, source, heart = Connection(), Source("one "), Heart(tick_seconds=0.001)
    stream = await open_stream(heart, source.follow(), encode, failed)
    task = asyncio.create_task(stream.write(connection.request, connection.send))
    await connection.until(lambda: connection.body == b"one ")
    beats = asyncio.all_tasks()
    connection.reads.clear()
    slots = 3 * len(heart.slots)
    for _ in range(slots):
        heart.tick()
    assert len(asyncio.all_tasks() - beats) <= 1
    source.waiting.put_nowait(None)
    connection.reads.set()
    async with asyncio.timeout(BOUND_SECONDS):
        await task
    assert connection.is_complete


async def test_the_timer_beats_each_stream_once_a_round_and_rests_without_streams() -> None:
    class Counter:
        beats = 0

        def beat(self) -> None:
            self.beats += 1

    heart = Heart(tick_seconds=3600)
    streams = [Counter() for _ in range(25)]
    slots = [(stream, heart.join(stream)) for stream in streams[:5]]
    heart.tick()
    slots += [(stream, heart.join(stream)) for stream in streams[5:]]
    for _ in heart.slots:
        heart.tick()
    assert {stream.beats for stream in streams} == {1}
    assert heart.is_ticking
    for stream, slot in slots:
        heart.leave(stream, slot)
    heart.tick()
    assert not heart.is_ticking


async def test_a_head_request_gets_no_stream() -> None:
    connection, source = Connection("HEAD"), Source("one ")
    stream = await open_stream(Heart(), source.follow(), encode, failed)
    await stream.write(connection.request, connection.send)
    assert (connection.body, connection.is_complete) == (b"", True)
    assert source.closed.is_set()


def event(number: int, data: str = "{}") -> StoredEvent:
    session = SessionId(UUID(int=1))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return StoredEvent(DEFAULT_ORG, session, number, EventId(UUID(int=number)), "t", 1, at, None, 1, data)


def test_an_event_is_encoded_once_while_it_is_held() -> None:
    encoded: list[int] = []

    def encode(event: StoredEvent) -> bytes:
        encoded.append(event.seq)
        return b"x" * 10

    frames = Frames(encode, max_bytes=35)
    for number in (1, 1, 2, 3, 1, 4, 2, 3, 4, 1):
        assert frames.of(event(number)) == b"x" * 10
    assert encoded == [1, 2, 3, 4, 1]


def test_an_event_whose_data_was_replaced_is_encoded_anew() -> None:
    frames = Frames(lambda event: event.data.encode())
    before = event(1, "secret")
    assert frames.of(before) == b"secret"
    assert frames.of(replace(before, data="redacted")) == b"redacted"


def test_a_frame_larger_than_the_cache_is_not_held() -> None:
    frames = Frames(lambda event: event.data.encode(), max_bytes=5)
    assert frames.of(event(1, "much too long")) == b"much too long"
    assert frames.held_bytes == 0


def test_a_frame_has_an_id_only_where_it_can_be_resumed_from() -> None:
    assert frame("a.b", b'{"x":1}', "7") == b'id: 7\nevent: a.b\ndata: {"x":1}\n\n'
    assert frame("gap", b"{}") == b"event: gap\ndata: {}\n\n"
