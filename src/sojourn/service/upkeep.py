"""What time does: leases lapse, deadlines pass, records age. Runs in every server process; each act is idempotent."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from sojourn.domain.commands import CancelTurn, DecideAsk, ExpireSession, ReclaimTurn
from sojourn.domain.draft import State, deadlines
from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import AskId, OrgId, SessionId
from sojourn.domain.lifecycle import TIMEOUT
from sojourn.domain.policy import TimerKind
from sojourn.domain.record import Lease
from sojourn.domain.turn import HELD
from sojourn.ports import Clock, DueTimer, Store, Tx
from sojourn.service.feed import Feed
from sojourn.service.hub import Hub
from sojourn.service.sessions import MAX_QUEUED
from sojourn.service.turns import LeaseTerms
from sojourn.service.verbs import carry_out, stopped, unfinished

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 2.5
# A tick that comes this late was held up, and so were the beats that it would judge.
LATE: Final = timedelta(seconds=10)
HEADS_SECONDS: Final = 5.0
IDEMPOTENCY_AGE: Final = timedelta(hours=24)
BATCH: Final = 500
PURGE_EVERY_TICKS: Final = 24

ReclaimCause = Literal["lease_expired", "worker_stopped", "server_restarted"]


class Upkeep:
    """`is_shared` says that other processes write to the same store."""

    def __init__(
        self, store: Store, clock: Clock, feed: Feed, hub: Hub, terms: LeaseTerms, is_shared: bool
    ) -> None:
        self._store = store
        self._clock = clock
        self._feed = feed
        self._hub = hub
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
                self._act_alone(lambda tx, lease=lease: self._reclaim(tx, lease, "server_restarted", now))
                for lease in leases
            )
        )
        return len(leases)

    async def run(self) -> None:
        """Tick until cancelled. A tick that fails is logged and the next one tries again."""
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
        now = self._clock.now()
        for lease in await self._store.reads.lapsed_leases(now, BATCH):
            await self._act_alone(lambda tx, lease=lease: self._reclaim(tx, lease, "lease_expired", now))
        for timer in await self._store.reads.due_timers(now, BATCH):
            await self._act_alone(lambda tx, timer=timer: self._act(tx, timer, now))
        for org, session, ask in await self._store.reads.due_asks(now, BATCH):
            await self._act_alone(
                lambda tx, org=org, session=session, ask=ask: self._expire_ask(tx, org, session, ask, now)
            )

    async def _act_alone(self, verb: Callable[[Tx], Awaitable[None]]) -> None:
        """An act that fails for its own session's sake: the other sessions' deadlines are kept all the same."""
        try:
            await self._store.write(verb)
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("upkeep of one session failed; the next tick tries again")

    async def purge(self) -> None:
        now = self._clock.now()

        await self._store.write(lambda tx: tx.forget_before(now - IDEMPOTENCY_AGE))
        while await self._store.write(lambda tx: tx.purge_deleted(now, BATCH)):
            pass

    async def _reclaim(self, tx: Tx, lease: Lease, cause: ReclaimCause, now: datetime) -> None:
        state = await tx.lock_session(lease.org, lease.session)
        # The lease was read before the lock: only its own removal, under the lock, proves that it still stood.
        if not await tx.release_lease(lease.org, lease.session, "turn", lease.holder):
            return
        if state is None or state.turn is None or state.turn.status not in HELD:
            return
        command = ReclaimTurn(cause=cause, unfinished=await unfinished(tx, state))
        await carry_out(tx, state, command, now)

    async def _act(self, tx: Tx, timer: DueTimer, now: datetime) -> None:
        state = await tx.lock_session(timer.org, timer.session)
        if state is None or not _is_due(state, timer.kind, now):
            return
        if timer.kind == "turn":
            if state.turn is not None:
                left = await stopped(tx, state, self._hub)
                command = CancelTurn(turn=state.turn.id, by=TIMEOUT, reason="expired", unfinished=left)
                await carry_out(tx, state, command, now)
            return
        queued = await tx.queued_inputs(timer.org, timer.session, steers_only=False, limit=MAX_QUEUED)
        left = await stopped(tx, state, self._hub)
        expire = ExpireSession(reason=timer.kind, queued=tuple(queued), unfinished=left)
        await carry_out(tx, state, expire, now)

    async def _expire_ask(self, tx: Tx, org: OrgId, session: SessionId, ask: AskId, now: datetime) -> None:
        state = await tx.lock_session(org, session)
        found = await tx.get_ask(org, session, ask)
        if state is None or found is None or found.status != "open":
            return
        await carry_out(tx, state, DecideAsk(ask=found, decision=found.on_expire, by=TIMEOUT), now)


def _is_due(state: State, kind: TimerKind, now: datetime) -> bool:
    """The timer was read before the lock: the state under the lock says whether its deadline still stands."""
    due_at = deadlines(state)[kind]
    return due_at is not None and due_at <= now
