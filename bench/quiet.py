"""Waiting for a shared machine to calm down."""

import asyncio
import time
from typing import Final

from bench import procfs

QUIET_SHARE: Final = 0.25


async def busy_share(seconds: float) -> float:
    """How much of one core all processes together took during the next seconds."""
    before, started = procfs.busy_seconds(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (procfs.busy_seconds() - before) / (time.perf_counter() - started)


async def until_quiet(patience_seconds: float) -> bool:
    """Wait for two quiet seconds, no longer than patience allows. False if it ran out."""
    for _ in range(int(patience_seconds / 2)):
        if await busy_share(2.0) < QUIET_SHARE:
            return True
    return False
