"""Letting time pass: work takes some, or nothing would be killed in the middle of it."""

import asyncio
from contextlib import suppress


async def pause(seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
