"""Sessions: what a verb must know of one to decide, and the two words for its state."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from sojourn.domain.ids import AgentId, OrgId, SessionId, TurnId
from sojourn.domain.kin import NO_KIN, Kin
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.policy import NO_POLICY, Policy, idle_deadline, lifetime_deadline
from sojourn.domain.turn import TurnStatus


class SessionStatus(StrEnum):
    OPEN = "open"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Activity(StrEnum):
    IDLE = "idle"
    QUEUED = "queued"
    STARTING = "starting"
    BUSY = "busy"
    WAITING = "waiting"
    RETRYING = "retrying"


_OF_TURN: Final = {
    TurnStatus.QUEUED: Activity.QUEUED,
    TurnStatus.STARTING: Activity.STARTING,
    TurnStatus.RUNNING: Activity.BUSY,
    TurnStatus.WAITING: Activity.WAITING,
    TurnStatus.RETRYING: Activity.RETRYING,
}


def activity(status: SessionStatus, turn: TurnStatus | None, queued_inputs: int, presences: int) -> Activity:
    """What a session is doing. `turn` is the status of its open turn, None without one.

    A session with a presence is driven elsewhere: it is busy, and its inputs wait there, whatever their number.
    """
    if status is not SessionStatus.OPEN:
        return Activity.IDLE
    if turn is not None:
        return _OF_TURN[turn]
    if presences:
        return Activity.BUSY
    return Activity.QUEUED if queued_inputs else Activity.IDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The row that every verb locks. `next_seq` is the seq of the next event; `turns` counts the turns ever opened.

    `revision` counts client updates from 0. `opened_at` is the creation or the last reopening. `stated_status` is
    a client's own word for the session's state; it goes when that state changes. `budgets` counts the ones that are
    not disabled: a session without any pays nothing for them. `ended_activity` is what an ended session was doing when
    it ended. `overlaid` says that the session adds something to its agent; what that is stands on its record.
    """

    org: OrgId
    id: SessionId
    agent: AgentId
    agent_version: int
    runner: RunnerKind
    created_at: datetime
    opened_at: datetime
    active_at: datetime
    updated_at: datetime
    status: SessionStatus = SessionStatus.OPEN
    activity: Activity = Activity.IDLE
    fence: int = 0
    next_seq: int = 1
    revision: int = 0
    open_turn: TurnId | None = None
    turns: int = 0
    queued_inputs: int = 0
    presences: int = 0
    policy: Policy = NO_POLICY
    ended_at: datetime | None = None
    end_reason: str | None = None
    ended_activity: Activity | None = None
    archived_at: datetime | None = None
    stated_status: str | None = None
    budgets: int = 0
    overlaid: bool = False
    kin: Kin = NO_KIN


@dataclass(frozen=True, slots=True)
class Expiry:
    """When policy ends an open session if nothing happens before, and by which of its limits."""

    at: datetime
    by: Literal["idle", "lifetime"]


def idle_deadline_of(session: Session) -> datetime | None:
    if session.policy is NO_POLICY or session.status is not SessionStatus.OPEN:
        return None
    return idle_deadline(session.policy, session.active_at) if session.activity is Activity.IDLE else None


def lifetime_deadline_of(session: Session) -> datetime | None:
    if session.policy is NO_POLICY or session.status is not SessionStatus.OPEN:
        return None
    return lifetime_deadline(session.policy, session.opened_at)


def expiry(session: Session) -> Expiry | None:
    """The earlier of its two deadlines, None if it has neither."""
    if session.policy is NO_POLICY:
        return None
    idle, lifetime = idle_deadline_of(session), lifetime_deadline_of(session)
    if idle is not None and (lifetime is None or idle < lifetime):
        return Expiry(idle, "idle")
    return None if lifetime is None else Expiry(lifetime, "lifetime")
