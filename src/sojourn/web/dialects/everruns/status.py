"""The words that Everruns has for the state of a session: its status, and what came of it.

Each is used twice, to show a session and to select sessions by what they show. Pure.
"""

from collections.abc import Mapping
from typing import Final

from sojourn.domain.filter import All, Compare, Filter, OneOf, Word
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.domain.turn import TurnSpan, TurnStatus
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


def shown(session: Session, turns: TurnSpan | None) -> wire.Status:
    """An ended session is `idle`, as its `finished_at` says. So is a paused one, as its activity says: the client

    refuses any word of its own for that. While it waits for sessions that it has started it works, through them: there
    are no results that its client could give it.
    """
    if session.status is not SessionStatus.OPEN or _is_paused(session, turns):
        return "idle"
    if session.activity is Activity.IDLE:
        return "idle" if session.turns else "started"
    if session.activity is Activity.WAITING and turns is not None and turns.waits_for_sessions:
        return "active"
    return _DOING[session.activity]


def activity(session: Session, turns: TurnSpan | None) -> wire.Activity:
    """Whether it runs, and is let to by its budgets; at rest, what came of its newest turn."""
    if _is_paused(session, turns):
        return "paused"
    if session.status is SessionStatus.OPEN and session.activity is not Activity.IDLE:
        return "running"
    return "idle" if turns is None else _OUTCOMES.get(turns.status, "idle")


def _is_paused(session: Session, turns: TurnSpan | None) -> bool:
    return session.activity is Activity.WAITING and turns is not None and turns.is_paused


_ENDED: Final[Filter] = Compare("status", "ne", SessionStatus.OPEN.value)

_PAUSED: Final[Filter] = All(
    (Compare("activity", "eq", Activity.WAITING.value), Compare("last_turn_asks", "eq", 0))
)

_DELEGATING: Final[Filter] = All(
    (Compare("activity", "eq", Activity.WAITING.value), Compare("open_questions", "eq", 0))
)

STATUS: Final = Word(
    (
        (_ENDED, "idle"),
        (_PAUSED, "idle"),
        (_DELEGATING, "active"),
        *((Compare("activity", "eq", doing.value), word) for doing, word in _DOING.items()),
        (Compare("turns", "gt", 0), "idle"),
    ),
    "started",
)
ACTIVITY: Final = Word(
    (
        (_PAUSED, "paused"),
        (OneOf("activity", tuple(doing.value for doing in _DOING)), "running"),
        *((Compare("last_turn", "eq", turn.value), word) for turn, word in _OUTCOMES.items()),
    ),
    "idle",
)
ACTIVITIES: Final[tuple[wire.Activity, ...]] = ("running", "paused", "failed", "completed", "idle")
