"""Waits until something stands in a session's log."""

import asyncio
from contextlib import aclosing
from typing import Final

from sojourn.domain.ids import SessionId
from sojourn.domain.log import StoredEvent
from tests.contract.everruns.surface import Everruns

BOUND_SECONDS: Final = 20.0
ENDS: Final = ("turn.completed", "turn.failed", "turn.cancelled")


async def until(everruns: Everruns, session: SessionId, *types: str, after: int = 0) -> int:
    """The seq of the first event of one of the types behind seq `after`."""
    items = await everruns.services.feed.follow(everruns.org, session, after)
    async with asyncio.timeout(BOUND_SECONDS), aclosing(items):
        async for item in items:
            if isinstance(item, StoredEvent) and item.type in types:
                return item.seq
    raise AssertionError(f"the feed ended without any of {types}")


async def turn_over(everruns: Everruns, session: SessionId, after: int = 0) -> int:
    return await until(everruns, session, *ENDS, after=after)
