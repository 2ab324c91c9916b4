"""The worker's protocol over a slow line: a call is carried out, and its answer is held back."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Literal

from sojourn.domain.events import RunnerEvent
from sojourn.domain.kinds import Outcome, RunnerKind
from sojourn.domain.memory import Expected
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.claims import LEASE_TTL_SECONDS, Claims, LeaseTerms
from sojourn.service.turns import TurnService
from tests.support.world import World


class LateAnswers(TurnService):
    """Holds back the first answer of one call. `done` is set once it was carried out; `arrive` lets its answer go."""

    def __init__(self, world: World, call: Literal["claim", "settle", "retry", "write_memory"]) -> None:
        services = world.services
        terms = LeaseTerms(LEASE_TTL_SECONDS, None)
        claims = Claims(world.store, world.clock, services.agents, "sim/echo")
        super().__init__(world.store, world.clock, claims, services.hub, terms)
        self._call = call
        self.done = asyncio.Event()
        self.arrive = asyncio.Event()

    async def _hold(self, call: str) -> None:
        if call == self._call:
            self.done.set()
            await self.arrive.wait()

    async def claim(self, ready: Ready, worker: str, runners: Collection[RunnerKind]) -> ClaimedTurn | None:
        claimed = await super().claim(ready, worker, runners)
        await self._hold("claim")
        return claimed

    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None:
        await super().settle(turn, events, reason, error)
        await self._hold("settle")

    async def retry(
        self, turn: ClaimedTurn, events: Sequence[RunnerEvent], error: str, delay_seconds: float
    ) -> None:
        await super().retry(turn, events, error, delay_seconds)
        await self._hold("retry")

    async def write_memory(
        self, turn: ClaimedTurn, path: str, text: str, expected: Expected | None = None
    ) -> None:
        await super().write_memory(turn, path, text, expected)
        await self._hold("write_memory")
