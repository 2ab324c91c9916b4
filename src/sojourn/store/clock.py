"""One time for all processes of a shared database, whatever their machines' clocks say."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final

from sojourn.domain.errors import StoreUnavailable
from sojourn.ports import Clock, Store

log = logging.getLogger(__name__)

TUNE_EVERY_SECONDS: Final = 60.0


class DatabaseClock:
    """The database's time: the process's own clock and how far that is behind.

    A deadline is written by one process and kept by another. With the clocks of two machines it would come too early
    or too late by what they differ; with this one by less than the time that the database takes to answer.
    """

    def __init__(self, local: Clock) -> None:
        self._local = local
        self._behind = timedelta()
        self._last: datetime | None = None
        self._is_tuned = False

    def now(self) -> datetime:
        """While the database's clock was set back it stands still until that has caught up."""
        now = self._local.now() + self._behind
        if self._last is None or now > self._last:
            self._last = now
        return self._last

    async def tune(self, store: Store) -> None:
        asked_at = self._local.now()
        told = await store.time()
        answered_at = self._local.now()
        self._behind = told - (asked_at + (answered_at - asked_at) / 2)
        if not self._is_tuned:
            # What the machine said before is no time that anything of this process was ordered by.
            self._is_tuned, self._last = True, None

    async def keep(self, store: Store) -> None:
        """Tune until cancelled. While the database is away the clock goes on as it went."""
        while True:
            await asyncio.sleep(TUNE_EVERY_SECONDS)
            try:
                await self.tune(store)
            except StoreUnavailable:
                log.warning("the database's time could not be read; the next try is in a minute")
