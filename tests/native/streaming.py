"""Reading a stream over a real connection, down to its bytes."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any

import httpx

from tests.web.served import ADMIN


@dataclass(frozen=True)
class Frame:
    """One server-sent event; `comment` is set for a frame that is none."""

    event: str | None
    data: Any
    id: str | None
    comment: str | None = None


class Frames:
    """The frames of a response, as its bytes arrive."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._chunks = response.aiter_raw()
        self._rest = b""
        self.bytes_read = 0
        self.ended = False

    async def next(self) -> Frame | None:
        """None when the server has ended the stream."""
        while b"\n\n" not in self._rest:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                assert self._rest == b"", "the stream ends within a frame"
                return None
            self._rest += chunk
            self.bytes_read += len(chunk)
        text, self._rest = self._rest.split(b"\n\n", 1)
        return parse(text)

    async def until(self, event: str) -> list[Frame]:
        """Every frame up to the first of that kind, which is the last of them."""
        frames: list[Frame] = []
        while (frame := await self.next()) is not None:
            frames.append(frame)
            if frame.event == event:
                return frames
        raise AssertionError(f"the stream ended before {event}: {frames}")


def parse(text: bytes) -> Frame:
    fields = dict[str, str]()
    for line in text.decode().split("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    if "" in fields:
        return Frame(None, None, None, fields[""])
    return Frame(fields["event"], json.loads(fields["data"]), fields.get("id"))


@asynccontextmanager
async def open_stream(
    url: str,
    session: str,
    last_id: str | None = None,
    query: str = "",
    token: str = ADMIN,
    receive_buffer_bytes: int | None = None,
) -> AsyncGenerator[Frames]:
    headers = {"authorization": f"Bearer {token}"}
    if last_id is not None:
        headers["last-event-id"] = last_id
    path = f"/sojourn/v1/sessions/{session}/events/stream{query}"
    options = [] if receive_buffer_bytes is None else [(SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes)]
    transport = httpx.AsyncHTTPTransport(verify=False, socket_options=options)
    async with (
        httpx.AsyncClient(base_url=url, headers=headers, timeout=30, transport=transport) as client,
        client.stream("GET", path) as response,
    ):
        yield Frames(response)
