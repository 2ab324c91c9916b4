"""What becomes of one session whose deadline has passed. Every act looks again under the session's lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sojourn.domain.actor import POLICY, TIMEOUT
from sojourn.domain.commands import (
    CancelTurn,
    DecideAsk,
    ExpireSession,
    ReclaimTurn,
    ReleasePresence,
    TrimLog,
    WithdrawInput,
)
from sojourn.domain.draft import State, deadlines
from sojourn.domain.ids import AskId, InputId, OrgId, SessionId
from sojourn.domain.queue import MAX_QUEUED
from sojourn.domain.record import Lease
from sojourn.domain.turn import HELD
from sojourn.ports import DueTimer, Tx
from sojourn.service.hub import Hub
from sojourn.service.lifetimes import remove
from sojourn.service.verbs import carry_out, stopped, unfinished

ReclaimCause = Literal["lease_expired", "worker_stopped", "server_restarted", "start_expired"]


class Deadlines:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def reclaim(self, tx: Tx, lease: Lease, cause: ReclaimCause, now: datetime) -> None:
        state = await tx.lock_session(lease.org, lease.session)
        # The lease was read before the lock: only its own removal, under the lock, proves that it still stood.
        if not await tx.release_lease(lease.org, lease.session, "turn", lease.holder):
            return
        if state is None or state.turn is None or state.turn.status not in HELD:
            return
        await _take_back(tx, state, cause, now)

    async def lapse(self, tx: Tx, lease: Lease, now: datetime) -> None:
        """End a presence whose holder has fallen silent."""
        state = await tx.lock_session(lease.org, lease.session)
        # Beats take no session lock: that the lease itself went, as quiet as it had to be, proves that none came.
        if (
            state is None
            or lease.ttl_seconds is None
            or not await tx.release_quiet_presence(
                lease.org, lease.session, lease.holder, now, lease.ttl_seconds
            )
        ):
            return
        await carry_out(tx, state, ReleasePresence(holder=lease.holder, by=TIMEOUT), now)

    async def act(self, tx: Tx, timer: DueTimer, now: datetime) -> None:
        state = await tx.lock_session(timer.org, timer.session)
        # The timer was read before the lock: the state under the lock says whether its deadline still stands.
        due_at = None if state is None else deadlines(state)[timer.kind]
        if state is None or due_at is None or due_at > now:
            return
        match timer.kind:
            case "turn":
                await self._cancel(tx, state, now)
            case "start":
                await _take_back(tx, state, "start_expired", now)
            case "idle" | "lifetime":
                await self._expire(tx, state, timer.kind, now)
            case "log":
                cut = await carry_out(tx, state, TrimLog(), now)
                await tx.cut_log(timer.org, timer.session, cut.first_seq)
            case "retain":
                await remove(tx, state, now, POLICY)

    async def _cancel(self, tx: Tx, state: State, now: datetime) -> None:
        if state.turn is None:
            return
        left = await stopped(tx, state, self._hub)
        command = CancelTurn(turn=state.turn.id, by=TIMEOUT, reason="expired", unfinished=left)
        await carry_out(tx, state, command, now)

    async def _expire(self, tx: Tx, state: State, reason: Literal["idle", "lifetime"], now: datetime) -> None:
        org, session = state.session.org, state.session.id
        queued = await tx.queued_inputs(org, session, steers_only=False, limit=MAX_QUEUED)
        left = await stopped(tx, state, self._hub)
        await carry_out(tx, state, ExpireSession(reason=reason, queued=tuple(queued), unfinished=left), now)

    async def expire_ask(self, tx: Tx, org: OrgId, session: SessionId, ask: AskId, now: datetime) -> None:
        state = await tx.lock_session(org, session)
        found = await tx.get_ask(org, session, ask)
        if state is None or found is None or found.status != "open":
            return
        await carry_out(tx, state, DecideAsk(ask=found, decision=found.on_expire, by=TIMEOUT), now)

    async def expire_input(
        self, tx: Tx, org: OrgId, session: SessionId, input: InputId, now: datetime
    ) -> None:
        state = await tx.lock_session(org, session)
        found = await tx.get_input(org, session, input)
        if state is None or found is None or found.status != "queued":
            return
        await carry_out(tx, state, WithdrawInput(input=found, by=TIMEOUT), now)


async def _take_back(tx: Tx, state: State, cause: ReclaimCause, now: datetime) -> None:
    await carry_out(tx, state, ReclaimTurn(cause=cause, unfinished=await unfinished(tx, state)), now)


def by_session(timers: Sequence[DueTimer]) -> list[list[DueTimer]]:
    """What is due of one session is done in the order in which it came."""
    groups: dict[tuple[OrgId, SessionId], list[DueTimer]] = {}
    for timer in timers:
        groups.setdefault((timer.org, timer.session), []).append(timer)
    return list(groups.values())
