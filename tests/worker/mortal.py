"""The worker's protocol for a worker that does not live long."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from sojourn.domain.ask import NewAsk
from sojourn.domain.events import RunnerEvent
from sojourn.domain.kinds import Outcome
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.claims import LEASE_TTL_SECONDS, Claims, LeaseTerms
from sojourn.service.turns import TurnService
from tests.support.world import World


class Vanished(BaseException):
    """The worker is gone in the middle of its work, and ends nothing behind itself."""


class MortalTurns(TurnService):
    """Its worker vanishes at its `writes`-th write, just before it is carried out or just after."""

    def __init__(self, world: World, writes: int, *, is_after: bool) -> None:
        services = world.services
        terms = LeaseTerms(LEASE_TTL_SECONDS, None)
        claims = Claims(world.store, world.clock, services.agents, "sim/echo")
        super().__init__(world.store, world.clock, claims, services.hub, terms)
        self._left = writes
        self._is_after = is_after

    async def _live(self, write: Callable[[], Awaitable[None]]) -> None:
        self._left -= 1
        if self._left == 0 and not self._is_after:
            raise Vanished
        await write()
        if self._left == 0:
            raise Vanished

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        write = super().append
        await self._live(lambda: write(turn, events, intents, steers_before))

    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None:
        write = super().settle
        await self._live(lambda: write(turn, events, reason, error))

    async def wait(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
    ) -> None:
        write = super().wait
        await self._live(lambda: write(turn, events, asks, mode))
