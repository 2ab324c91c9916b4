"""Waiting for the next item of a source with a limit, without losing what comes too late."""

import asyncio
from collections.abc import AsyncGenerator
from enum import Enum
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class Nothing(Enum):
    """What there is instead of an item. `YET`: the time was up. `MORE`: the source has ended."""

    YET = "yet"
    MORE = "more"


class Ahead(Generic[T]):
    """Reads one item ahead. Whoever made it closes it, and with it the source."""

    def __init__(self, source: AsyncGenerator[T, None]) -> None:
        self._source: Final = source
        self._next: asyncio.Task[T | Nothing] | None = None

    async def within(self, seconds: float) -> T | Nothing:
        """The next item. One that is not there in time is waited for again by the next call."""
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        done, _ = await asyncio.wait((self._next,), timeout=max(0.0, seconds))
        if not done:
            return Nothing.YET
        task, self._next = self._next, None
        return task.result()

    async def _read(self) -> T | Nothing:
        return await anext(self._source, Nothing.MORE)

    async def aclose(self) -> None:
        if self._next is not None:
            # A generator that runs cannot be closed.
            self._next.cancel()
            await asyncio.wait((self._next,))
            self._next = None
        await self._source.aclose()
