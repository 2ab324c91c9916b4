"""Waiting for something of the server's, which may end before it comes."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from sojourn.service.hub import Hub

T = TypeVar("T")


async def or_closed(hub: Hub, work: Coroutine[Any, Any, T], instead: T) -> T:
    """The result of `work`, or `instead` where the server ends its feeds before that."""
    working, closed = asyncio.ensure_future(work), asyncio.ensure_future(hub.closed())
    try:
        await asyncio.wait((working, closed), return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else instead
    finally:
        working.cancel()
        closed.cancel()
        # What the work holds is let go before anybody goes on.
        await asyncio.gather(working, closed, return_exceptions=True)


async def within(seconds: float, work: Coroutine[Any, Any, object]) -> bool:
    """Wait for `work`, but not for longer; False, whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await work
    return False


async def false(work: Coroutine[Any, Any, object]) -> bool:
    await work
    return False
