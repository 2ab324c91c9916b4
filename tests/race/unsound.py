"""A build whose fence stands in the lease table: it looks for its lease, and then takes the lock and writes.

Between the two somebody else may take the turn away, and the write of the one who lost it goes through. It is here to
show that the race finds such a build.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from sojourn.domain.content import Usage
from sojourn.domain.errors import LeaseLost
from sojourn.domain.events import RunnerEvent
from sojourn.domain.log import NewEvent
from sojourn.ports import Clock, Store, Tx
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.agents import Agents
from sojourn.service.claims import Claims, LeaseTerms, holder_of
from sojourn.service.core import Services
from sojourn.service.hub import Hub
from sojourn.service.turns import TurnService
from sojourn.service.verbs import append

MANY = 10_000


class LeaseTableTurns(TurnService):
    def __init__(self, store: Store, clock: Clock, agents: Agents, hub: Hub, terms: LeaseTerms) -> None:
        super().__init__(store, clock, Claims(store, clock, agents, "sim/echo"), hub, terms)
        self._own_store = store
        self._own_clock = clock
        self._workers: dict[int, str] = {}

    @classmethod
    def instead_of(cls, services: Services, store: Store, terms: LeaseTerms) -> "LeaseTableTurns":
        return cls(store, services.clock, services.agents, services.hub, terms)

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        async def verb(tx: Tx) -> None:
            if not await self._holds(tx, turn):
                raise LeaseLost(turn.session)
            # A context switch, as any machine may make one here.
            await asyncio.sleep(0.001)  # noqa: TID251 - waits for nothing: it is the fault
            state = await tx.lock_session(turn.org, turn.session)
            if state is None:
                raise LeaseLost(turn.session)
            session = state.session
            said = [NewEvent(event, turn.turn) for event in (*events, *intents)]
            longer = replace(session, next_seq=session.next_seq + len(said))
            await tx.write_session(longer, session.fence, Usage(input_tokens=1))
            await append(tx, turn.org, turn.session, session.next_seq, said, self._own_clock.now())

        await self._own_store.write(verb)

    async def _holds(self, tx: Tx, turn: ClaimedTurn) -> bool:
        """Whether the lease table still names this claim. Leases without a time to live are all lapsed ones."""
        leases = await tx.lapsed_leases(self._own_clock.now(), MANY)
        suffix = holder_of(turn, "").removeprefix("/")
        return any(lease.session == turn.session and lease.holder.endswith(f"/{suffix}") for lease in leases)
