"""The order of the queue, and how an input is put elsewhere in it: what deciders and rebuilds of a log share."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sojourn.domain.input import Input, priority_of
from sojourn.domain.input_events import InputReceived
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.turn import Turn, TurnStatus

# More inputs than this are never queued on one session.
MAX_QUEUED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Shift:
    """Every queued input whose rank is from `low` to `high` goes `by` ranks up: 1, or -1."""

    low: int
    high: int
    by: int

    def over(self, input: Input) -> Input:
        is_meant = input.status == "queued" and self.low <= input.rank <= self.high
        return replace(input, rank=input.rank + self.by) if is_meant else input


def moved(input: Input, before: Input | None, last: Input | None) -> tuple[Input, Shift | None]:
    """The input in its new place, directly before `before` or else behind `last`, and how others make room.

    It takes the priority of that neighbour, so that the place is its place until the queue is put in another order
    again. The ranks between its old place and its new one are dealt out anew: it needs no rank that nobody had.
    """
    neighbour = before or last
    if neighbour is None:
        return input, None
    at = replace(input, priority=neighbour.priority)
    old, new = input.rank, neighbour.rank
    if new > old:
        # Those in between close up, and so does the neighbour that it goes behind.
        new -= before is not None
        return replace(at, rank=new), _shift(old + 1, new, -1)
    if before is None:
        return at, None
    return replace(at, rank=new), _shift(new, old - 1, 1)


def input_of(received: InputReceived, seq: int, at: datetime) -> Input:
    """As it was received, with that seq."""
    return Input(
        id=received.input,
        turn=received.turn,
        kind=received.kind,
        delivery=received.delivery,
        content=received.content,
        status="queued",
        position=seq,
        rank=seq,
        priority=priority_of(received.delivery, received.by.kind),
        received_at=at,
        model=received.model,
    )


def turn_to_be(input: Input, runner: RunnerKind) -> Turn:
    """The turn that an input has been promised and that was never begun; of a withdrawn one it never will be."""
    is_queued = input.status == "queued"
    return Turn(
        id=input.turn,
        input=input.id,
        runner=runner,
        status=TurnStatus.QUEUED if is_queued else TurnStatus.CANCELLED,
        reason=None if is_queued else "superseded",
        model=input.model,
        first_seq=input.position,
        created_at=input.received_at,
    )


def _shift(low: int, high: int, by: int) -> Shift | None:
    return Shift(low, high, by) if low <= high else None
