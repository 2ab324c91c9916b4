"""Which turns there are for a worker outside, and claiming one of them."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sojourn.domain.draft import State
from sojourn.domain.errors import IdempotencyMismatch, LeaseLost
from sojourn.domain.ids import KeyId, SessionId, TurnId
from sojourn.domain.record import Recalled
from sojourn.ports import Clock, Store, Tx
from sojourn.ports.turns import Claim, ClaimedTurn, Ready
from sojourn.service.claims import Claims, Holder, LeaseTerms
from sojourn.service.hub import Hub
from sojourn.service.outside.callers import Caller
from sojourn.service.outside.patience import or_closed, within
from sojourn.service.results import UNSET, Repeat, Result, Unset
from sojourn.service.turn_writes import stands

# How often a waiting claim looks for what nobody told of: turns delayed until now, or made by another process.
LOOK_SECONDS: Final = 1.0
CANDIDATES: Final = 20


class OutsideClaims:
    def __init__(self, store: Store, clock: Clock, claims: Claims, hub: Hub, ttl_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._claims = claims
        # Also where the server's own workers hold their turns as long as it lives.
        self.terms = LeaseTerms(ttl_seconds, None)
        self._hub = hub

    async def ready(self, caller: Caller, limit: int) -> Sequence[Ready]:
        """Sessions with a turn to claim; a hint, the claim itself decides."""
        found: list[Ready] = []
        agents = caller.agents or caller.principal.limits.agents
        for runner in caller.runners:
            found += await self._store.reads.ready_turns_of(
                caller.org, runner, caller.pool, agents, self._clock.now(), limit
            )
        return found[:limit]

    async def claim(
        self,
        caller: Caller,
        session: SessionId | None,
        wait_seconds: float,
        repeat: Repeat | None,
    ) -> Result[ClaimedTurn] | None:
        """Claim a turn, of that session or of any, waiting for one to be ready; None if none came.

        A claim whose answer was lost is answered again to the same request while it stands, and LeaseLost once it
        does not; nobody asks again, and the turn is reclaimed when its TTL is over. So no lost answer strands a turn.
        """
        caller.check()
        woken = asyncio.Event()

        def on_ready(ready: Ready) -> None:
            if ready.org == caller.org:
                woken.set()

        leave = self._hub.connect_worker(on_ready, _deaf, woken.set)
        until = asyncio.get_running_loop().time() + wait_seconds
        try:
            while True:
                woken.clear()
                claimed = await self._claim_now(caller, session, repeat)
                left = until - asyncio.get_running_loop().time()
                if claimed is not None or left <= 0:
                    return claimed
                if await or_closed(self._hub, within(min(left, LOOK_SECONDS), woken.wait()), True):
                    return None
        finally:
            leave()

    async def _claim_now(
        self, caller: Caller, session: SessionId | None, repeat: Repeat | None
    ) -> Result[ClaimedTurn] | None:
        if repeat is not None:
            # Where the first request has the turn, there may be no other to find the record by.
            found = await self._store.reads.recall(caller.org, *_place(repeat))
            if found is not None:
                return await self._claim_one(caller, SessionId(UUID(found.ids["session"])), repeat)
        if session is not None:
            return await self._claim_one(caller, session, repeat)
        for ready in await self.ready(caller, CANDIDATES):
            claimed = await self._claim_one(caller, ready.session, repeat)
            if claimed is not None:
                return claimed
        return None

    async def _claim_one(
        self, caller: Caller, session: SessionId, repeat: Repeat | None
    ) -> Result[ClaimedTurn] | None:
        holder = Holder(caller.worker, self.terms, caller.principal.key)

        async def verb(tx: Tx) -> Result[ClaimedTurn] | Unset | None:
            state = await tx.lock_session(caller.org, session, wait=False)
            if state is None:
                return UNSET
            if repeat is not None and (found := await tx.recall(caller.org, *_place(repeat))) is not None:
                if found.ids["session"] != str(session):
                    raise _Doubled
                return Result(await self._again(tx, state, caller, repeat, found), replayed=True)
            taken = await self._claims.take(tx, state, holder, caller.runners, caller.admits)
            if taken is None:
                return None
            if repeat is not None:
                await self._remember(tx, taken, repeat)
            return Result(taken)

        try:
            return await self._claims.unless_locked(verb)
        except _Doubled:
            return await self._claim_now(caller, session, repeat)

    async def _remember(self, tx: Tx, taken: ClaimedTurn, repeat: Repeat) -> None:
        """Behind the claim: one that takes nothing is no answer to remember, and may have to commit all the same."""
        now = self._clock.now()
        if await tx.reserve_key(taken.org, *_place(repeat), now) is not None:
            # The same request, sent twice at once, has another turn by now: this one is not taken after all.
            raise _Doubled
        ids = {"session": str(taken.session), "turn": str(taken.turn), "fence": str(taken.fence)}
        await tx.remember(taken.org, *_place(repeat), Recalled(repeat.request_hash, 200, ids), now)

    async def _again(
        self, tx: Tx, state: State, caller: Caller, repeat: Repeat, found: Recalled
    ) -> ClaimedTurn:
        if found.request_hash != repeat.request_hash:
            raise IdempotencyMismatch(repeat.idempotency_key)
        claim = Claim(
            org=caller.org,
            session=state.session.id,
            turn=TurnId(UUID(found.ids["turn"])),
            fence=int(found.ids["fence"]),
            key=caller.principal.key,
        )
        if not stands(claim, state.session, state.turn):
            raise LeaseLost(claim.session)
        return await self._claims.standing(tx, state, caller.principal.key)


class _Doubled(Exception):
    """Another request of the same idempotency key was faster."""


def _place(repeat: Repeat) -> tuple[KeyId, str, str]:
    return repeat.key, repeat.operation, repeat.idempotency_key


def _deaf(_ready: Ready, _turn: TurnId | None) -> bool:
    return False
