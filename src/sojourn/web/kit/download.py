"""A reply that is written as its source makes it, so that neither side ever holds the whole of it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

from starlette.types import Receive, Send

from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Header

# Small parts are sent together.
CHUNK_BYTES: Final = 64 * 1024


class Download:
    """The server takes no more from `source` than its client reads.

    A source that fails ends the connection before the end of the body, which is how the client is told: the status
    went out long before.
    """

    __slots__ = ("_headers", "_source")

    def __init__(
        self, source: AsyncGenerator[bytes], media_type: bytes, headers: Sequence[Header] = ()
    ) -> None:
        self._source = source
        self._headers = (*headers, (b"content-type", media_type))

    async def write(self, request: Request, send: Send) -> None:
        headers = [(b"x-request-id", request.id.encode()), *self._headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with aclosing(self._source) as source:
            if request.method != "HEAD":
                gone = asyncio.create_task(_gone(request.receive))
                try:
                    await _copy(source, send, gone)
                finally:
                    gone.cancel()
        await send({"type": "http.response.body"})


async def _copy(source: AsyncGenerator[bytes], send: Send, gone: "asyncio.Task[None]") -> None:
    held: list[bytes] = []
    size = 0
    async for part in source:
        held.append(part)
        size += len(part)
        if size >= CHUNK_BYTES:
            # What is sent to a closed connection is dropped in silence, so nobody else would end this.
            if gone.done():
                return
            await send({"type": "http.response.body", "body": b"".join(held), "more_body": True})
            held, size = [], 0
            # Neither this nor many a source suspends while the client keeps up, and would keep everyone waiting.
            await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"".join(held), "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
