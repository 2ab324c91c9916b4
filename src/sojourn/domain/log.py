"""The envelope of an event: before it is in the log, as stored, and as read with its data understood."""

from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.events import Event
from sojourn.domain.ids import EventId, OrgId, SessionId, TurnId


@dataclass(frozen=True, slots=True)
class NewEvent:
    event: Event
    turn: TurnId | None = None


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An entry of the log as it stands on disk.

    `seq` is dense per session from 1 and the only order; `at` informs. `data` is JSON text, or a reference to a
    blob where the data is large. `tx` orders the events of an organisation across sessions.
    """

    org: OrgId
    session: SessionId
    seq: int
    id: EventId
    type: str
    v: int
    at: datetime
    turn: TurnId | None
    tx: int
    data: str


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A stored event, decoded. `event` is None for a type that this release does not know."""

    seq: int
    turn: TurnId | None
    type: str
    event: Event | None
