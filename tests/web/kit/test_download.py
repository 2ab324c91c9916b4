"""A download is made no faster than it is read, and an end that was not reached is not pretended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from starlette.types import Message

from sojourn.web.kit.download import CHUNK_BYTES, Download
from sojourn.web.kit.request import Request
from tests.web.kit.requests import request_of

PART = b"x" * CHUNK_BYTES


class Parts:
    """A source that tells how far it was read and whether it was closed."""

    def __init__(self, count: int, breaks: bool = False) -> None:
        self.made = 0
        self.is_closed = False
        self._count = count
        self._breaks = breaks

    async def read(self) -> AsyncGenerator[bytes]:
        try:
            while self.made < self._count:
                self.made += 1
                yield PART
            if self._breaks:
                raise LookupError
        finally:
            self.is_closed = True


class Reader:
    """A client that takes a message each time it is let."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self._room = asyncio.Semaphore(0)
        self.waits = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.waits.set()
        await self._room.acquire()
        self.taken.append(message)

    def let(self, messages: int = 1) -> None:
        for _ in range(messages):
            self._room.release()


def staying() -> Request:
    """The request of a client that stays."""
    request = request_of()

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {}

    request.receive = receive
    return request


async def test_no_more_is_made_than_the_client_reads() -> None:
    parts, reader = Parts(100), Reader()
    writing = asyncio.create_task(Download(parts.read(), b"text/plain").write(staying(), reader.send))
    for read in range(1, 5):
        reader.waits.clear()
        reader.let()
        await reader.waits.wait()
        assert parts.made == read
    reader.let(100)
    await writing
    assert b"".join(message.get("body", b"") for message in reader.taken) == PART * 100
    assert reader.taken[-1] == {"type": "http.response.body"}


async def test_a_source_that_fails_leaves_the_body_without_an_end() -> None:
    parts, reader = Parts(2, breaks=True), Reader()
    reader.let(100)
    with pytest.raises(LookupError):
        await Download(parts.read(), b"text/plain").write(staying(), reader.send)
    assert all(message.get("more_body", True) for message in reader.taken)


async def test_nothing_more_is_made_for_a_client_that_has_gone() -> None:
    parts, reader = Parts(10**6), Reader()
    reader.let(10**6)
    asked = request_of(messages=[{"type": "http.disconnect"}])
    await Download(parts.read(), b"text/plain").write(asked, reader.send)
    assert parts.made < 10
    assert parts.is_closed


async def test_a_question_for_the_headers_alone_reads_nothing() -> None:
    parts, reader = Parts(3), Reader()
    reader.let(10)
    source = parts.read()
    async with aclosing(source):
        await Download(source, b"text/plain").write(request_of("HEAD"), reader.send)
    assert parts.made == 0
    assert reader.taken[0]["status"] == 200
