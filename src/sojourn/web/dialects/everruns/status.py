"""The word that Everruns has for the state of a session. Pure."""

from collections.abc import Mapping
from typing import Final

from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.web.dialects.everruns import wire

_DOING: Final[Mapping[Activity, wire.Status]] = {
    Activity.QUEUED: "active",
    Activity.STARTING: "active",
    Activity.RETRYING: "active",
    Activity.BUSY: "active",
    Activity.WAITING: "waitingfortoolresults",
}


def shown(session: Session) -> wire.Status:
    """An ended session is `idle`; that it has ended says its `finished_at`."""
    if session.status is not SessionStatus.OPEN:
        return "idle"
    if session.activity is Activity.IDLE:
        return "idle" if session.turns else "started"
    return _DOING[session.activity]
