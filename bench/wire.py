"""The cheapest HTTP/1.1 client that still checks answers: prebuilt bytes out, status and length in.

It understands keep-alive answers with a Content-Length, which is all that the measured routes send.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Final, cast

HOST: Final = "127.0.0.1"
# Begins as Membrane's keys do, so that every dialect takes it.
TOKEN: Final = "pat-bench-4f1c7a0d2e9b4c53"
LENGTH: Final = b"content-length: "
ETAG: Final = b"\r\netag: "


def request(method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one request with the bench's key; a body is sent as JSON."""
    payload = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    lines = [f"{method} {path} HTTP/1.1", f"host: {HOST}", f"authorization: Bearer {TOKEN}"]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(payload)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


def field(body: bytes, name: str) -> str:
    """A top-level string of a JSON object."""
    return str(cast("dict[str, object]", json.loads(body))[name])


class Wire(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._head: bytes = b""
        self._parts: list[bytes] = []
        self._missing = 0
        self._status = 0
        self.sent_ns = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, data: bytes) -> None:
        assert self._transport is not None
        self.sent_ns = time.perf_counter_ns()
        self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        if self._missing == 0:
            data = self._read_head(data)
            if self._status == 0:
                return
        self._parts.append(data)
        self._missing -= len(data)
        if self._missing == 0:
            status, self._status = self._status, 0
            parts, self._parts = self._parts, []
            self.answered(status, parts)

    def _read_head(self, data: bytes) -> bytes:
        """What follows the head; the status stays 0 while the head is incomplete."""
        data = self._head + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._head = data
            return b""
        self._head = b""
        self._status = int(data[9:12])
        start = data.find(LENGTH, 0, end)
        if start >= 0:
            start += len(LENGTH)
            self._missing = int(data[start : data.find(b"\r", start)])
        elif self._status not in (204, 304):
            raise ValueError(f"no content-length: {data[:end]!r}")
        self.headed(data[:end])
        return data[end + 4 :]

    def headed(self, head: bytes) -> None:
        """Called with each answer's status line and headers."""

    def answered(self, status: int, parts: list[bytes]) -> None:
        raise NotImplementedError


class Lane(Wire):
    """Sends the next request of a shared supply as soon as the last one is answered: a closed loop."""

    def __init__(self, supply: Iterator[bytes], done: asyncio.Future[None], *, keep: bool = False) -> None:
        super().__init__()
        self._supply = supply
        self._done = done
        self._keep = keep
        self.stop = False
        self.latencies_ns: list[int] = []
        self.errors: list[bytes] = []
        self.bodies: list[bytes] = []

    def next(self) -> None:
        data = None if self.stop else next(self._supply, None)
        if data is not None:
            self.send(data)
        elif not self._done.done():
            self._done.set_result(None)

    def answered(self, status: int, parts: list[bytes]) -> None:
        self.latencies_ns.append(time.perf_counter_ns() - self.sent_ns)
        if status >= 400:
            self.errors.append(b"%d %s" % (status, b"".join(parts)[:200]))
        elif self._keep:
            self.bodies.append(b"".join(parts))
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server closed the connection"))


class Caller(Wire):
    """Asks one thing at a time and awaits the answer."""

    def __init__(self) -> None:
        super().__init__()
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None
        self.etag: str | None = None

    async def ask(self, data: bytes) -> bytes:
        """The body of an answer below 400; raises ConnectionError on a lost connection or a refusal."""
        self._waiter = asyncio.get_running_loop().create_future()
        self.send(data)
        status, body = await self._waiter
        if status >= 400:
            raise ConnectionError(f"{status} {body[:300]!r}")
        return body

    def headed(self, head: bytes) -> None:
        _, found, rest = head.partition(ETAG)
        self.etag = rest.partition(b"\r")[0].decode() if found else None

    def answered(self, status: int, parts: list[bytes]) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result((status, b"".join(parts)))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(ConnectionError("the server closed the connection"))


async def connect(port: int) -> Caller:
    _, caller = await asyncio.get_running_loop().create_connection(Caller, HOST, port)
    return caller
