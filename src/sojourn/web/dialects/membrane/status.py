"""Membrane's two words for a session: the life of its worker and what its turn does.

The table is used twice, to show a session and to select sessions by what they show. Pure.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from sojourn.domain.filter import All, AnyOf, Compare, FacetPath, Filter, OneOf, Same, Word
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.web.dialects.membrane import wire
from sojourn.web.dialects.membrane.facet import DIALECT, Facet, Report


class Shown(NamedTuple):
    status: wire.Status
    state: wire.State


ENDED: Final[Mapping[SessionStatus, wire.Status]] = {
    SessionStatus.COMPLETED: "completed",
    SessionStatus.FAILED: "failed",
    SessionStatus.CANCELLED: "cancelled",
}
# An idle session's words depend on its past.
DOING: Final[Mapping[Activity, Shown]] = {
    Activity.QUEUED: Shown("queued", "busy"),
    Activity.STARTING: Shown("starting", "busy"),
    Activity.RETRYING: Shown("running", "busy"),
    Activity.BUSY: Shown("running", "busy"),
    Activity.WAITING: Shown("running", "idle"),
}
# Nothing is cut short by the end of a session that does one of these.
_AT_REST: Final = frozenset({None, Activity.IDLE})
# These a worker may report without ending the session.
_LIVING: Final[Mapping[str, wire.Status]] = {"queued": "queued", "starting": "starting", "running": "running"}


def shown(session: Session, facet: Facet) -> Shown:
    if session.status is not SessionStatus.OPEN:
        return Shown(_ended(session), "idle")
    word = _word(session)
    report = facet.report
    if report is None or not _stands(report, session):
        return word
    return Shown(_LIVING.get(report.status or "") or word.status, _state(report, word))


def _state(report: Report, word: Shown) -> wire.State:
    if report.state is None:
        return word.state
    return "idle" if report.state == "idle" else "busy"


def _ended(session: Session) -> wire.Status:
    if session.status is SessionStatus.EXPIRED:
        return "completed" if session.ended_activity in _AT_REST else "failed"
    return ENDED[session.status]


def _word(session: Session) -> Shown:
    if session.activity is not Activity.IDLE:
        return DOING[session.activity]
    return Shown("running", "idle") if session.turns else Shown("queued", "idle")


def _stands(report: Report, session: Session) -> bool:
    then = (report.fence, report.turns, report.activity)
    return then == (session.fence, session.turns, session.activity.value)


def report(session: Session, patch: wire.PatchAgentSession, before: Report | None) -> Report | None:
    """What is reported from now on; what the patch leaves out stays, as long as it stands."""
    kept = before if before is not None and _stands(before, session) else None
    status = None if kept is None else kept.status
    state = None if kept is None else kept.state
    status = patch.status if isinstance(patch.status, str) else status
    state = patch.state if isinstance(patch.state, str) else state
    if status is None and state is None:
        return None
    return Report(session.fence, session.turns, session.activity.value, status, state)


_STANDS: Final = All(
    (
        Compare("status", "eq", SessionStatus.OPEN.value),
        Same("fence", FacetPath(DIALECT, ("report", "fence"), "number")),
        Same("turns", FacetPath(DIALECT, ("report", "turns"), "number")),
        Same("activity", FacetPath(DIALECT, ("report", "activity"))),
    )
)
_REPORTED: Final = FacetPath(DIALECT, ("report", "status"))
_AT_REST_WHEN_ENDED: Final = AnyOf(
    (Compare("ended_activity", "is_null"), Compare("ended_activity", "eq", Activity.IDLE.value))
)
_CASES: Final[tuple[tuple[Filter, str], ...]] = (
    *((All((Compare(_REPORTED, "eq", one), _STANDS)), one) for one in _LIVING),
    *((Compare("status", "eq", status.value), word) for status, word in ENDED.items()),
    (All((Compare("status", "eq", SessionStatus.EXPIRED.value), _AT_REST_WHEN_ENDED)), "completed"),
    (Compare("status", "eq", SessionStatus.EXPIRED.value), "failed"),
    *((Compare("activity", "eq", activity.value), word.status) for activity, word in DOING.items()),
    (Compare("turns", "gt", 0), "running"),
)
_SHOWN: Final = Word(_CASES, "queued")

# The statuses of ours that a word can stand for: by these an index finds the rows, the word itself is computed.
_OURS: Final[Mapping[wire.Status, tuple[SessionStatus, ...]]] = {
    "queued": (SessionStatus.OPEN,),
    "starting": (SessionStatus.OPEN,),
    "running": (SessionStatus.OPEN,),
    "completed": (SessionStatus.COMPLETED, SessionStatus.EXPIRED),
    "failed": (SessionStatus.FAILED, SessionStatus.EXPIRED),
    "cancelled": (SessionStatus.CANCELLED,),
}


def is_shown(status: wire.Status) -> Filter:
    ours = OneOf("status", tuple(one.value for one in _OURS[status]))
    return All((ours, Compare(_SHOWN, "eq", status)))
