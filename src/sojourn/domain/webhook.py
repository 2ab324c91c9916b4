"""Webhooks: who is told of what, and what of it is on its way."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NewType
from uuid import UUID

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.session import Activity, Session, SessionStatus

DeliveryId = NewType("DeliveryId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One of each type an organisation. `is_signed` says that a secret is kept for it."""

    type: str
    url: str
    is_signed: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a session ended, as it was then: it may have been reopened by the time that somebody is told."""

    status: SessionStatus
    ended_at: datetime
    end_reason: str | None
    ended_activity: Activity | None
    active_at: datetime
    turns: int

    def of(self, session: Session) -> Session:
        """`session` as it was when it ended."""
        return replace(
            session,
            status=self.status,
            activity=Activity.IDLE,
            ended_at=self.ended_at,
            end_reason=self.end_reason,
            ended_activity=self.ended_activity,
            active_at=self.active_at,
            updated_at=self.ended_at,
            turns=self.turns,
            open_turn=None,
            queued_inputs=0,
            presences=0,
        )


def ended(session: Session) -> Ended:
    return Ended(
        status=session.status,
        ended_at=session.ended_at or session.updated_at,
        end_reason=session.end_reason,
        ended_activity=session.ended_activity,
        active_at=session.active_at,
        turns=session.turns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What one webhook is to be told. `attempts` counts the claims: a claim that is not settled lapses."""

    org: OrgId
    id: DeliveryId
    session: SessionId
    type: str
    ended: Ended
    attempts: int = 0
