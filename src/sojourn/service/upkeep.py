"""What time does: leases lapse, deadlines pass, records age. Runs in every server process; each act is idempotent."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.record import Lease
from sojourn.ports import Clock, DueTimer, Store, Tx
from sojourn.service.claims import LeaseTerms
from sojourn.service.deadlines import Deadlines, by_session
from sojourn.service.feed import Feed
from sojourn.service.hub import Hub
from sojourn.service.keepalive import KeepAlive

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 2.5
# A tick that comes this late was held up, and so were the beats that it would judge.
LATE: Final = timedelta(seconds=10)
HEADS_SECONDS: Final = 5.0
IDEMPOTENCY_AGE: Final = timedelta(hours=24)
BATCH: Final = 500
# Batches of due deadlines that one tick carries out, and sessions whose deadlines it carries out at the same time.
BATCHES_A_TICK: Final = 20
SESSIONS_AT_ONCE: Final = 8
PURGE_EVERY_TICKS: Final = 24


class Upkeep:
    """`is_shared` says that other processes write to the same store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        feed: Feed,
        hub: Hub,
        terms: LeaseTerms,
        keepalive: KeepAlive,
        *,
        is_shared: bool,
    ) -> None:
        self.keepalive = keepalive
        self._store = store
        self._clock = clock
        self._feed = feed
        self._hub = hub
        self._deadlines = Deadlines(hub)
        self._terms = terms
        self._is_shared = is_shared

    async def start(self) -> int:
        """Release the turns of this file's former owner; how many. For a store with one owning process only."""
        boot = self._terms.boot
        if boot is None:
            return 0
        now = self._clock.now()

        async def verb(tx: Tx) -> Sequence[Lease]:
            await tx.refresh_leases(now)
            return await tx.boot_leases(boot)

        leases = await self._store.write(verb)
        await asyncio.gather(
            *(
                self._act_alone(
                    lambda tx, lease=lease: self._deadlines.reclaim(tx, lease, "server_restarted", now)
                )
                for lease in leases
            )
        )
        return len(leases)

    async def run(self) -> None:
        """Tick until cancelled. A tick that fails is logged and the next one tries again."""
        try:
            await self._run()
        finally:
            await self.keepalive.close()

    async def _run(self) -> None:
        ticks = 0
        heads_at = time.monotonic()
        # By the clock that leases are judged by: it goes on while the machine sleeps.
        last = self._clock.now()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self._clock.now()
            if now - last > LATE:
                await self._guarded(self._forgive)
            last = now
            await self._guarded(self.tick)
            if self._is_shared and time.monotonic() - heads_at >= HEADS_SECONDS:
                heads_at = time.monotonic()
                await self._guarded(self._feed.check_heads)
            ticks += 1
            if ticks % PURGE_EVERY_TICKS == 0:
                await self._guarded(self.purge)

    async def _guarded(self, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await act()
        except StoreUnavailable:
            log.warning("the store is not available for upkeep; the next tick tries again")
        except Exception:
            log.exception("upkeep failed; the next tick tries again")

    async def _forgive(self) -> None:
        """One fresh TTL for all: while this process was held up, beats could not arrive."""
        now = self._clock.now()

        async def verb(tx: Tx) -> None:
            await tx.refresh_leases(now)

        if not self._is_shared:
            await self._store.write(verb)

    async def tick(self) -> None:
        now, acts, reads = self._clock.now(), self._deadlines, self._store.reads
        for lease in await reads.lapsed_leases(now, BATCH):
            await self._act_alone(lambda tx, lease=lease: acts.reclaim(tx, lease, "lease_expired", now))
        for _ in range(BATCHES_A_TICK):
            due = await reads.due_timers(now, BATCH)
            acted = await self._act_on(due)
            # What cannot be done now is not tried again before the next tick.
            if len(due) < BATCH or not acted:
                break
        for lease in await reads.lapsed_presences(now, BATCH):
            await self._act_alone(lambda tx, lease=lease: acts.lapse(tx, lease, now))
        for org, session, ask in await reads.due_asks(now, BATCH):
            await self._act_alone(
                lambda tx, org=org, session=session, ask=ask: acts.expire_ask(tx, org, session, ask, now)
            )
        for org, session, input in await reads.due_inputs(now, BATCH):
            await self._act_alone(
                lambda tx, org=org, session=session, input=input: acts.expire_input(
                    tx, org, session, input, now
                )
            )

    async def _act_on(self, due: Sequence[DueTimer]) -> int:
        """How many of the deadlines were kept; several sessions at once, so that they share commits."""
        groups, acted = by_session(due), 0
        for start in range(0, len(groups), SESSIONS_AT_ONCE):
            chunk = groups[start : start + SESSIONS_AT_ONCE]
            acted += sum(await asyncio.gather(*(self._act_on_session(timers) for timers in chunk)))
        return acted

    async def _act_on_session(self, timers: Sequence[DueTimer]) -> int:
        acted = 0
        for timer in timers:
            act = partial(self._act_alone, partial(self._act_on_timer, timer))
            if await self.keepalive.takes(timer, act):
                acted += 1
                continue
            acted += await act()
            if timer.kind == "retain" and not await self._store.reads.head_seqs(timer.org, [timer.session]):
                self._hub.close_session(timer.org, timer.session)
        return acted

    async def _act_on_timer(self, timer: DueTimer, tx: Tx) -> None:
        await self._deadlines.act(tx, timer, self._clock.now())

    async def _act_alone(self, verb: Callable[[Tx], Awaitable[None]]) -> bool:
        """False if it fails for its own session's sake: the other sessions' deadlines are kept all the same."""
        try:
            await self._store.write(verb)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("upkeep of one session failed; the next tick tries again")
            return False
        return True

    async def purge(self) -> None:
        now = self._clock.now()

        while await self._store.write(lambda tx: tx.forget_before(now - IDEMPOTENCY_AGE, BATCH)):
            pass
        while await self._store.write(lambda tx: tx.purge_deleted(now, BATCH)):
            pass
        while await self._store.write(lambda tx: tx.purge_cut_logs(BATCH)):
            pass
