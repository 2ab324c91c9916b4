"""How a runner's part in a turn ends."""

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn.domain.ask import NewAsk
from sojourn.domain.events import RunnerEvent
from sojourn.domain.kinds import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a runner's turn ended. `error` tells a failed turn from a completed one."""

    events: Sequence[RunnerEvent]
    reason: Outcome = "end_turn"
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulted:
    """A passing fault: the turn is to be tried again after `delay_seconds`."""

    events: Sequence[RunnerEvent]
    error: str
    delay_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """The turn waits, without a lease, for `asks` and those of its asks that are open already."""

    events: Sequence[RunnerEvent]
    asks: Sequence[NewAsk]
