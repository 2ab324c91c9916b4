"""The status that Kodexa shows: what a client last wrote until the session's own state changes, then a word for that.

The table is used twice, to show a session and to select sessions by what they show. Pure.
"""

from collections.abc import Mapping
from typing import Final

from sojourn.domain.filter import Compare, Expression, Filter, FirstOf, Word
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.service.sessions import EndStatus
from sojourn.web.dialects.kodexa.facet import DIALECT

ACTIVE: Final = "ACTIVE"
IDLE: Final = "IDLE"
PENDING: Final = "PENDING"

ENDED: Final[Mapping[SessionStatus, str]] = {
    SessionStatus.COMPLETED: "TERMINATED",
    SessionStatus.FAILED: "FAILED",
    SessionStatus.CANCELLED: "TERMINATED",
    SessionStatus.EXPIRED: "EXPIRED",
}
# An idle session's word depends on its past.
DOING: Final[Mapping[Activity, str]] = {
    Activity.QUEUED: PENDING,
    Activity.STARTING: PENDING,
    Activity.RETRYING: PENDING,
    Activity.BUSY: ACTIVE,
    Activity.WAITING: IDLE,
}
# Writing one of these ends the session.
ENDING: Final[Mapping[str, EndStatus]] = {"TERMINATED": "completed", "FAILED": "failed", "EXPIRED": "expired"}


def shown(record: SessionRecord) -> str:
    return record.session.stated_status or _word(record)


def _word(record: SessionRecord) -> str:
    session = record.session
    if session.status is not SessionStatus.OPEN:
        return ENDED[session.status]
    if session.activity is not Activity.IDLE:
        return DOING[session.activity]
    if session.turns:
        return IDLE
    return ACTIVE if record.origin == DIALECT else PENDING


_CASES: Final[tuple[tuple[Filter, str], ...]] = (
    *((Compare("status", "eq", status.value), word) for status, word in ENDED.items()),
    *((Compare("activity", "eq", activity.value), word) for activity, word in DOING.items()),
    (Compare("turns", "gt", 0), IDLE),
    (Compare("origin", "eq", DIALECT), ACTIVE),
)

SHOWN: Final[Expression] = FirstOf(("stated_status", Word(_CASES, PENDING)))
