"""Inputs: what is sent to a session. A queued input is a row, not a turn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sojourn.domain.content import TextPart
from sojourn.domain.ids import InputId, TurnId
from sojourn.domain.kinds import Delivery, InputKind

PRIORITY: Final[dict[Delivery, int]] = {"interrupt": 0, "steer": 1, "queue": 1}

InputStatus = Literal["queued", "delivered", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """`turn` is the id of the turn that delivers it: its own to be, or for a steer the one it was read by.

    The queue is ordered by (`priority`, `position`), lowest first; `position` is the seq of its `input.received`.
    """

    id: InputId
    turn: TurnId
    kind: InputKind
    delivery: Delivery
    content: tuple[TextPart, ...]
    status: InputStatus
    position: int
    priority: int
    received_at: datetime
    revision: int = 0
    # When policy withdraws it unless it was read before; None waits for ever.
    expires_at: datetime | None = None
