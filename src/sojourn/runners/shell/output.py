"""What a command says: heard to its end, and kept at both ends."""

import asyncio
from collections.abc import Callable
from typing import Final

# Of each of its two streams.
KEPT_HEAD_BYTES: Final = 16 * 1024
KEPT_TAIL_BYTES: Final = 16 * 1024
MOST_SAID_BYTES: Final = 16 * 1024 * 1024


class Ear:
    """`stop` is called once it has heard too much."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._head = bytearray()
        self._tail = bytearray()
        self._heard = 0

    @property
    def is_full(self) -> bool:
        return self._heard > MOST_SAID_BYTES

    @property
    def text(self) -> str:
        left_out = self._heard - len(self._head) - len(self._tail)
        head, tail = (bytes(part).decode(errors="replace") for part in (self._head, self._tail))
        if not left_out:
            return bytes(self._head + self._tail).decode(errors="replace")
        return f"{head}\n[{left_out} bytes left out]\n{tail}"

    async def listen(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(64 * 1024):
            self._heard += len(data)
            room = KEPT_HEAD_BYTES - len(self._head)
            self._head += data[:room]
            self._tail += data[room:]
            del self._tail[:-KEPT_TAIL_BYTES]
            if self.is_full:
                # What it still says before it is gone is heard: nobody waits for a program with a full pipe.
                self._stop()
