"""`sojourn` in a process of its own, started in a hundredth of the time that an interpreter takes to import it.

Several hundred tests start it. What they see is a process like any other, with arguments, an environment, a directory,
inputs, outputs, signals and a status; that it starts by `python -m sojourn` too is seen by the tests on a terminal, by
those of the demo, and by those that kill servers at every point of their work.
"""

import asyncio
import atexit
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
# What a pipe holds unless it is asked to hold more, and the most that anybody may ask for.
_PIPE_BYTES: Final = 1 << 16
_MOST_GIVEN_BYTES: Final = 1 << 20


class Program:
    """A started one. Its output is a stream; its errors are one too if they were asked for."""

    def __init__(self, pid: int, status: int, outputs: list[asyncio.StreamReader]) -> None:
        self.pid = pid
        self.outputs = outputs
        self.returncode: int | None = None
        self._transports: list[asyncio.ReadTransport] = []
        self._status = status
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(status, self._end)

    async def listen(self, stream: asyncio.StreamReader, descriptor: int) -> None:
        pipe = os.fdopen(descriptor, "rb", 0)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), pipe
        )
        self._transports.append(transport)

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._status)
        self.returncode = int(os.read(self._status, 32))
        os.close(self._status)
        self._ended.set()

    async def wait(self) -> int:
        await self._ended.wait()
        for transport in self._transports:
            transport.close()
        assert self.returncode is not None
        return self.returncode

    def kill(self) -> None:
        self._tell(signal.SIGKILL)

    def terminate(self) -> None:
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


async def start(
    *arguments: str,
    environment: Mapping[str, str],
    directory: Path | None = None,
    given: bytes = b"",
    hears_errors: bool = False,
) -> Program:
    """Its input is a pipe with `given` in it. Its errors go where the tests' own go unless they are to be heard."""
    order = {
        "arguments": arguments,
        "environment": dict(environment),
        "directory": None if directory is None else str(directory),
    }
    readers: list[int] = []
    theirs = [_filled(given)]
    for _ in range(3 if hears_errors else 2):
        reader, writer = os.pipe()
        readers.append(reader)
        theirs.append(writer)
    # Of the pipes that it writes to the first is for its status, which the order has last.
    status, *outputs = readers
    descriptors = [theirs[0], theirs[2], theirs[3] if hears_errors else 2, theirs[1]]
    try:
        pid = await asyncio.to_thread(_nursery().start, order, descriptors)
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    started = Program(pid, status, [asyncio.StreamReader() for _ in outputs])
    for stream, descriptor in zip(started.outputs, outputs, strict=True):
        await started.listen(stream, descriptor)
    return started


def _filled(given: bytes) -> int:
    """The end to read from of a pipe that holds all that will ever come."""
    reader, writer = os.pipe()
    if len(given) > _PIPE_BYTES:
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _MOST_GIVEN_BYTES)
    os.set_blocking(writer, False)
    assert os.write(writer, given) == len(given), "more than a pipe can hold"
    os.close(writer)
    return reader


class _Nursery:
    """The other end of `nursery.py`, for as long as this process lives."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            command = [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=_ROOT)
        atexit.register(self._close)

    def start(self, order: Mapping[str, object], descriptors: Sequence[int]) -> int:
        with self._lock:
            socket.send_fds(self._orders, [json.dumps(order).encode()], descriptors)
            answer = self._orders.recv(32)
        assert answer, "the nursery is gone; what it said stands above"
        return int(answer)

    def _close(self) -> None:
        self._orders.close()
        self._process.wait()


@cache
def _nursery() -> _Nursery:
    return _Nursery()
