"""Inputs: what is sent to a session. A queued input is a row, not a turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, Literal

from sojourn.domain.actor import ActorKind
from sojourn.domain.content import TextPart
from sojourn.domain.ids import InputId, TurnId
from sojourn.domain.kinds import Delivery, InputKind

InputStatus = Literal["queued", "delivered", "withdrawn"]


class Priority(IntEnum):
    """Who goes first in the queue: what interrupts, then humans, then agents, then what nobody waits for."""

    INTERRUPT = 0
    HUMAN = 1
    AGENT = 2
    SCHEDULE = 3


_OF_ACTOR: Final[Mapping[ActorKind, Priority]] = {
    "human": Priority.HUMAN,
    "agent": Priority.AGENT,
    "schedule": Priority.SCHEDULE,
    "policy": Priority.SCHEDULE,
    "timeout": Priority.SCHEDULE,
}


def priority_of(delivery: Delivery, sender: ActorKind) -> Priority:
    return Priority.INTERRUPT if delivery == "interrupt" else _OF_ACTOR[sender]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """`turn` is the id of the turn that delivers it: its own to be, or for a steer the one it was read by.

    The queue is ordered by (`priority`, `rank`), lowest first. `position` is the seq of its `input.received`, and so is
    `rank` until the queue is put in another order; no two queued inputs of a session have the same one.
    """

    id: InputId
    turn: TurnId
    kind: InputKind
    delivery: Delivery
    content: tuple[TextPart, ...]
    status: InputStatus
    position: int
    rank: int
    priority: Priority
    received_at: datetime
    revision: int = 0
    # When policy withdraws it unless it was read before; None waits for ever.
    expires_at: datetime | None = None
    # Of the turn that it starts, in the place of the agent's.
    model: str | None = None

    @property
    def place(self) -> tuple[Priority, int]:
        """Where it stands in the queue."""
        return self.priority, self.rank
