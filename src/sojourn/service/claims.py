"""Claiming: a ready turn becomes somebody's, with a new fence and a lease."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from sojourn.domain.agent import SPAWNING, Agent
from sojourn.domain.commands import ClaimTurn, FirstCall
from sojourn.domain.draft import State
from sojourn.domain.ids import KeyId, MessageId, uuid7
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.record import Lease
from sojourn.domain.session import Session
from sojourn.domain.turn import CLAIMABLE, Turn
from sojourn.ports import Clock, Store, Tx
from sojourn.ports.turns import Claim, ClaimedTurn
from sojourn.service.agents import Agents
from sojourn.service.results import Unset
from sojourn.service.verbs import carry_out

T = TypeVar("T")

LEASE_TTL_SECONDS: Final = 15.0
CLAIM_TRIES: Final = 3
CLAIM_PAUSE_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How a worker holds its turns: for `ttl_seconds` after each renewal, or for the life of `boot`."""

    ttl_seconds: float | None
    boot: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who claims, and how it holds what it claims. `key` is that of a worker outside."""

    worker: str
    terms: LeaseTerms
    key: KeyId | None = None


class Claims:
    def __init__(self, store: Store, clock: Clock, agents: Agents, default_model: str) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._default_model = default_model

    async def unless_locked(self, verb: Callable[[Tx], Awaitable[T | Unset]]) -> T | None:
        """What `verb` returns, tried again where it is UNSET: a row was locked; None if it still is.

        A claim never waits for a row: that would keep a connection from the others. Whoever holds the lock most
        likely takes the turn; if not (an input's append leaves it ready), the row is free in a moment.
        """
        for _ in range(CLAIM_TRIES):
            claimed = await self._store.write(verb)
            if not isinstance(claimed, Unset):
                return claimed
            await asyncio.sleep(CLAIM_PAUSE_SECONDS)
        return None

    async def take(
        self,
        tx: Tx,
        state: State,
        holder: Holder,
        runners: Collection[RunnerKind],
        admits: Callable[[Agent], bool] = lambda _: True,
    ) -> ClaimedTurn | None:
        """Claim the open turn of a locked session, if it is ready, of one of the `runners` and admitted.

        None also if a budget allows no call: the claim itself has ended or parked the turn then. The first model
        call's intent is part of the claim.
        """
        turn = state.turn
        if turn is None or not self._is_ready(turn) or turn.runner not in runners:
            return None
        agent = await self.agent_of(tx, state, turn)
        if not admits(agent):
            return None
        model = self._model_of(turn, agent)
        command = ClaimTurn(
            worker=holder.worker,
            spawns=turn.runner in SPAWNING,
            agent_version=agent.version,
            first_call=None if model is None else FirstCall(model=model, message=MessageId(uuid7())),
        )
        now = self._clock.now()
        decision = await carry_out(tx, state, command, now)
        if decision.lease != "acquire":
            return None
        taken = await self._claimed(
            tx, decision.session.fence, state, replace(turn, attempt=turn.attempt + 1), agent, holder.key
        )
        # The deletion of a predecessor's lease and this insert are in one transaction with the new fence.
        await tx.acquire_lease(
            Lease(
                org=taken.org,
                session=taken.session,
                kind="turn",
                holder=holder_of(taken, holder.worker),
                ttl_seconds=holder.terms.ttl_seconds,
                last_seen_at=now,
                boot=holder.terms.boot,
            )
        )
        return taken

    async def standing(self, tx: Tx, state: State, key: KeyId) -> ClaimedTurn:
        """The claim under which a session's open turn is held, as it was given to its holder."""
        assert state.turn is not None
        agent = await self.agent_of(tx, state, state.turn)
        return await self._claimed(tx, state.session.fence, state, state.turn, agent, key)

    async def agent_of(self, tx: Tx, state: State, turn: Turn) -> Agent:
        """The pinned version, with what the session adds to it."""
        session = state.session
        version = turn.agent_version or session.agent_version
        agent = await self._agents.get_version(tx, session.org, session.agent, version)
        overlay = await tx.get_overlay(session.org, session.id) if session.overlaid else None
        return agent if overlay is None else replace(agent, spec=overlay.over(agent.spec))

    def _is_ready(self, turn: Turn) -> bool:
        is_due = turn.not_before is None or turn.not_before <= self._clock.now()
        return turn.status in CLAIMABLE and is_due

    def _model_of(self, turn: Turn, agent: Agent) -> str | None:
        return (turn.model or agent.spec.model or self._default_model) if turn.runner == "model" else None

    async def _claimed(
        self, tx: Tx, fence: int, state: State, turn: Turn, agent: Agent, key: KeyId | None
    ) -> ClaimedTurn:
        return ClaimedTurn(
            org=state.session.org,
            session=state.session.id,
            turn=turn.id,
            fence=fence,
            key=key,
            attempt=turn.attempt,
            faults=turn.faults,
            agent=agent,
            model=self._model_of(turn, agent),
            alias=await _alias(tx, state.session) if turn.runner == "http" else None,
        )


async def _alias(tx: Tx, session: Session) -> str | None:
    record = await tx.get_session(session.org, session.id)
    return None if record is None else record.alias


def holder_of(turn: Claim, worker: str) -> str:
    """The holder carries the fence: a worker that lost its turn cannot renew the lease of a later claim."""
    return f"{worker}/{turn.fence}"
