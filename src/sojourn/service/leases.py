"""Presences: an outside process says that it drives a session."""

from collections.abc import Sequence

from sojourn.domain.actor import Actor
from sojourn.domain.commands import AttachPresence, ReleasePresence
from sojourn.domain.errors import Forbidden, NotFound
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import Lease
from sojourn.domain.worker import NO_LIMITS, WorkerLimits
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.names import Name
from sojourn.service.rosters import Rosters
from sojourn.service.verbs import carry_out, lock


class Presences:
    def __init__(self, store: Store, clock: Clock, agents: Agents, rosters: Rosters) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._rosters = rosters

    async def hold(
        self,
        org: OrgId,
        session: SessionId,
        holder: str,
        ttl_seconds: float | None,
        limits: WorkerLimits = NO_LIMITS,
    ) -> tuple[Lease, bool]:
        """Acquire or renew; True if it is new. A presence fences nothing. `limits` are those of the key.

        It lapses when its holder was not heard of for `ttl_seconds`, which the newest beat says; None never.
        """
        await self._admit(org, session, limits)
        now = self._clock.now()
        lease = Lease(
            org=org,
            session=session,
            kind="presence",
            holder=holder,
            ttl_seconds=ttl_seconds,
            last_seen_at=now,
        )

        async def verb(tx: Tx) -> bool:
            # A beat is one update and takes no session lock: it changes nothing that a verb decides on.
            if await tx.renew_presence(org, session, holder, ttl_seconds, now):
                return False
            state = await lock(tx, org, session)
            # A rival with the same holder's name may have come first, between the beat and the lock.
            if not await tx.acquire_lease(lease):
                return False
            await carry_out(tx, state, AttachPresence(holder=holder), now)
            return True

        is_new = await self._store.write(verb)
        self._rosters.beat(org, session, now)
        return lease, is_new

    async def beat(self, org: OrgId, name: Name, holder: str) -> bool:
        """Renew the presence of `holder` on the session of that outside name, in one update. False if it has none."""
        now = self._clock.now()

        async def verb(tx: Tx) -> SessionId | None:
            return await tx.renew_presence_of(org, name.kind, name.value, holder, now)

        session = await self._store.write(verb)
        if session is None:
            return False
        self._rosters.beat(org, session, now)
        return True

    async def release(
        self, org: OrgId, session: SessionId, holder: str, by: Actor, limits: WorkerLimits = NO_LIMITS
    ) -> None:
        """NotFound if that holder has none."""
        await self._admit(org, session, limits)
        now = self._clock.now()

        async def verb(tx: Tx) -> None:
            state = await lock(tx, org, session)
            if not await tx.release_lease(org, session, "presence", holder):
                raise NotFound("presence", holder)
            await carry_out(tx, state, ReleasePresence(holder=holder, by=by), now)

        await self._store.write(verb)

    async def _admit(self, org: OrgId, session: SessionId, limits: WorkerLimits) -> None:
        """Forbidden where the key may not claim the session's turns: it would keep them from those who may."""
        if limits == NO_LIMITS:
            return
        record = await self._store.reads.get_session(org, session)
        if record is None:
            raise NotFound("session", session)
        row = record.session
        agent = await self._agents.get_version(self._store.reads, org, row.agent, row.agent_version)
        if not limits.admits(agent.spec.runner, agent.spec.pool, agent.id):
            raise Forbidden(f"presence on sessions of agent {agent.id}")

    async def list(self, org: OrgId, session: SessionId) -> Sequence[Lease]:
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        return await self._store.reads.list_presences(org, session)
