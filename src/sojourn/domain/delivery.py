"""What becomes of an input that arrives, by how it is delivered and what the session is at: one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sojourn.domain.kinds import Delivery
from sojourn.domain.turn import Turn, TurnStatus


class Standing(StrEnum):
    """`open` is a turn that waits for nothing. A `held` or `parked` one waits for asks, a `paused` one for budgets.

    A driven session has no open turn, but a presence.
    """

    IDLE = "idle"
    DRIVEN = "driven"
    OPEN = "open"
    HELD = "held"
    PARKED = "parked"
    PAUSED = "paused"


class Effect(StrEnum):
    """`start`: its turn is queued at once. `follow`: it waits for the end of the open turn, or of the presence.

    `steer`: the open turn reads it before its next model call. `dismiss`: the open asks are denied, so that the turn
    resumes and reads it before its next model call. `replace`: the open turn is cancelled, and its own turn is next.
    """

    START = "start"
    FOLLOW = "follow"
    STEER = "steer"
    DISMISS = "dismiss"
    REPLACE = "replace"


EFFECTS: Final[Mapping[tuple[Delivery, Standing], Effect]] = {
    ("queue", Standing.IDLE): Effect.START,
    ("queue", Standing.DRIVEN): Effect.FOLLOW,
    ("queue", Standing.OPEN): Effect.FOLLOW,
    ("queue", Standing.HELD): Effect.FOLLOW,
    ("queue", Standing.PARKED): Effect.FOLLOW,
    ("queue", Standing.PAUSED): Effect.FOLLOW,
    ("steer", Standing.IDLE): Effect.START,
    ("steer", Standing.DRIVEN): Effect.FOLLOW,
    ("steer", Standing.OPEN): Effect.STEER,
    # Whoever holds the turn is in the middle of something that only a decision ends.
    ("steer", Standing.HELD): Effect.STEER,
    ("steer", Standing.PARKED): Effect.DISMISS,
    ("steer", Standing.PAUSED): Effect.STEER,
    ("interrupt", Standing.IDLE): Effect.START,
    ("interrupt", Standing.DRIVEN): Effect.FOLLOW,
    ("interrupt", Standing.OPEN): Effect.REPLACE,
    ("interrupt", Standing.HELD): Effect.REPLACE,
    ("interrupt", Standing.PARKED): Effect.REPLACE,
    ("interrupt", Standing.PAUSED): Effect.REPLACE,
}


def standing(turn: Turn | None, presences: int) -> Standing:
    """Of a session with that open turn and so many presences."""
    if turn is None:
        return Standing.DRIVEN if presences else Standing.IDLE
    if turn.status is not TurnStatus.WAITING:
        return Standing.OPEN
    if not turn.parked:
        return Standing.HELD
    return Standing.PARKED if turn.open_asks else Standing.PAUSED
