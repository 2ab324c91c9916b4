"""What the other processes of the store tell, carried to the followers and workers of this one."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.feed import Preview
from sojourn.domain.ids import OrgId
from sojourn.ports.wakeups import Hint
from sojourn.service.feed import Feed
from sojourn.service.hub import Hub
from sojourn.service.partials import Place

log = logging.getLogger(__name__)

# Logs that are read side by side; the store's connections are there for requests, too.
READS_AT_ONCE: Final = 4


class Relay:
    """Hears of commits at once, and reads the logs of the watched sessions among theirs one round after the other.

    What comes during a round waits for the next as one head a session, so that a storm of hints costs one read each.
    """

    def __init__(self, hub: Hub, feed: Feed) -> None:
        self._hub = hub
        self._feed = feed
        self._heads: dict[Place, int] = {}
        self._looks_around = False
        self._wake = asyncio.Event()

    def hear(self, hints: Sequence[Hint]) -> None:
        for hint in hints:
            if self._hub.hear(hint):
                place = (hint.org, hint.session)
                self._heads[place] = max(hint.head, self._heads.get(place, 0))
                self._wake.set()

    def hear_preview(self, org: OrgId, preview: Preview) -> None:
        self._hub.hear_preview(org, preview)

    def look_around(self) -> None:
        self._hub.doubt()
        self._looks_around = True
        self._wake.set()

    def welcome(self) -> None:
        self._hub.preview_again()

    async def run(self) -> None:
        """Until cancelled. A read that fails is made up for by the next check of the heads."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._round()
            except StoreUnavailable:
                log.warning("the logs of watched sessions cannot be read; trying again")
            except Exception:
                log.exception("reading the logs of watched sessions failed; trying again")

    async def _round(self) -> None:
        looks_around, self._looks_around = self._looks_around, False
        heads, self._heads = self._heads, {}
        if looks_around:
            await self._feed.check_heads()
        limit = asyncio.Semaphore(READS_AT_ONCE)

        async def catch_up(place: Place, head: int) -> None:
            async with limit:
                await self._feed.catch_up(*place, head)

        await asyncio.gather(*(catch_up(place, head) for place, head in heads.items()))
