"""The words that Everruns has for the state of a session: its status, and what came of it.

Each is used twice, to show a session and to select sessions by what they show. Pure.
"""

from collections.abc import Mapping
from typing import Final

from sojourn.domain.filter import Compare, Filter, OneOf, Word
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.domain.turn import TurnStatus
from sojourn.web.dialects.everruns import wire

_DOING: Final[Mapping[Activity, wire.Status]] = {
    Activity.QUEUED: "active",
    Activity.STARTING: "active",
    Activity.RETRYING: "active",
    Activity.BUSY: "active",
    Activity.WAITING: "waitingfortoolresults",
}
_OUTCOMES: Final[Mapping[TurnStatus, wire.Activity]] = {
    TurnStatus.COMPLETED: "completed",
    TurnStatus.FAILED: "failed",
    TurnStatus.CANCELLED: "failed",
}


def shown(session: Session) -> wire.Status:
    """An ended session is `idle`; that it has ended says its `finished_at`."""
    if session.status is not SessionStatus.OPEN:
        return "idle"
    if session.activity is Activity.IDLE:
        return "idle" if session.turns else "started"
    return _DOING[session.activity]


def activity(session: Session, last_turn: TurnStatus | None) -> wire.Activity:
    """Whether it runs; at rest, what came of its newest turn."""
    if session.status is SessionStatus.OPEN and session.activity is not Activity.IDLE:
        return "running"
    return "idle" if last_turn is None else _OUTCOMES.get(last_turn, "idle")


_ENDED: Final[Filter] = Compare("status", "ne", SessionStatus.OPEN.value)

STATUS: Final = Word(
    (
        (_ENDED, "idle"),
        *((Compare("activity", "eq", doing.value), word) for doing, word in _DOING.items()),
        (Compare("turns", "gt", 0), "idle"),
    ),
    "started",
)
ACTIVITY: Final = Word(
    (
        (OneOf("activity", tuple(doing.value for doing in _DOING)), "running"),
        *((Compare("last_turn", "eq", turn.value), word) for turn, word in _OUTCOMES.items()),
    ),
    "idle",
)
# Nothing here is ever `paused`.
ACTIVITIES: Final[tuple[wire.Activity, ...]] = ("running", "paused", "failed", "completed", "idle")
