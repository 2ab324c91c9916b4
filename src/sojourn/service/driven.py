"""Sessions that a process outside drives, for dialects whose every session is one. `Sessions.create` makes them.

None of these verbs raises NotFound: that nobody drives the session any more is an ordinary answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeGuard

from sojourn.domain.actor import Actor
from sojourn.domain.commands import EndSession, UpdateSession
from sojourn.domain.draft import State
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.queue import MAX_QUEUED
from sojourn.domain.session import SessionStatus
from sojourn.ports import Clock, Store, Tx
from sojourn.service.hub import Hub
from sojourn.service.names import Name
from sojourn.service.verbs import carry_out, stopped

# What the facet of a session says that its name is, for those that know the session by its id only.
NameOf = Callable[[str], Name | None]

SWEPT_AT_ONCE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Ends sessions that `holder` drives as expired, with `reason`.

    Those whose holder was heard of within `quiet_seconds` are spared; None spares nobody.
    """

    holder: str
    reason: str
    quiet_seconds: float | None


class Driven:
    def __init__(self, store: Store, clock: Clock, hub: Hub) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub

    async def amend(
        self, org: OrgId, name: Name, dialect: str, change: Callable[[str], str], by: Actor
    ) -> bool:
        """Change the facet of the driven session of that name. False if there is none."""
        now = self._clock.now()

        async def verb(tx: Tx) -> bool:
            session = await tx.find_session(org, name.kind, name.value)
            if session is None or not is_driven(state := await tx.lock_session(org, session)):
                return False
            facet = await tx.get_facet(org, session, dialect)
            if facet is None:
                return False
            changed = change(facet)
            if changed != facet:
                await tx.write_facet(org, session, dialect, changed)
                await carry_out(tx, state, UpdateSession(changes={"facet": dialect}, by=by), now)
            return True

        return await self._store.write(verb)

    async def finish(
        self, org: OrgId, session: SessionId, reason: str, by: Actor, dialect: str, name_of: NameOf
    ) -> bool:
        """End a session as completed and let its name go. False if nobody drives it."""

        async def verb(tx: Tx) -> bool:
            state = await tx.lock_session(org, session)
            if not is_driven(state):
                return False
            await self._end(tx, state, "completed", reason, by)
            await _release_name(tx, org, session, dialect, name_of)
            return True

        return await self._store.write(verb)

    async def finish_named(self, org: OrgId, name: Name, reason: str, by: Actor) -> bool:
        """The same for the session of a name."""

        async def verb(tx: Tx) -> bool:
            session = await tx.find_session(org, name.kind, name.value)
            if session is None or not is_driven(state := await tx.lock_session(org, session)):
                return False
            await self._end(tx, state, "completed", reason, by)
            await tx.delete_ref(org, name.kind, name.value)
            return True

        return await self._store.write(verb)

    async def sweep(
        self,
        org: OrgId,
        sessions: Sequence[SessionId],
        sweep: Sweep,
        by: Actor,
        dialect: str,
        name_of: NameOf,
    ) -> int:
        """How many of `sessions` it ended, each in a transaction of its own."""
        now = self._clock.now()

        def verb_for(session: SessionId) -> Callable[[Tx], Awaitable[bool]]:
            async def verb(tx: Tx) -> bool:
                state = await tx.lock_session(org, session)
                # Beats take no session lock. That the lease itself went, as quiet as it was asked to be, is the
                # proof that no beat came in between.
                if not is_driven(state) or not await _release(tx, org, session, sweep, now):
                    return False
                await self._end(tx, state, "expired", sweep.reason, by)
                await _release_name(tx, org, session, dialect, name_of)
                return True

            return verb

        ended = 0
        for start in range(0, len(sessions), SWEPT_AT_ONCE):
            chunk = sessions[start : start + SWEPT_AT_ONCE]
            ended += sum(await asyncio.gather(*(self._store.write(verb_for(one)) for one in chunk)))
        return ended

    async def _end(
        self, tx: Tx, state: State, status: Literal["completed", "expired"], reason: str, by: Actor
    ) -> None:
        session = state.session
        queued = ()
        if session.queued_inputs:
            found = await tx.queued_inputs(session.org, session.id, steers_only=False, limit=MAX_QUEUED)
            queued = tuple(found)
        left = await stopped(tx, state, self._hub)
        end = EndSession(status=status, by=by, reason=reason, queued=queued, unfinished=left)
        await carry_out(tx, state, end, self._clock.now())


def is_driven(state: State | None) -> TypeGuard[State]:
    return state is not None and state.session.status is SessionStatus.OPEN and state.session.presences > 0


async def _release(tx: Tx, org: OrgId, session: SessionId, sweep: Sweep, now: datetime) -> bool:
    if sweep.quiet_seconds is None:
        return await tx.release_lease(org, session, "presence", sweep.holder) > 0
    return await tx.release_quiet_presence(org, session, sweep.holder, now, sweep.quiet_seconds)


async def _release_name(tx: Tx, org: OrgId, session: SessionId, dialect: str, name_of: NameOf) -> None:
    facet = await tx.get_facet(org, session, dialect)
    name = None if facet is None else name_of(facet)
    # A session that ended once before and was reopened may have lost its name to another.
    if name is not None and await tx.find_session(org, name.kind, name.value) == session:
        await tx.delete_ref(org, name.kind, name.value)
