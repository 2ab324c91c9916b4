"""Lifecycle policy: the deadlines of a session, as data on its agent and on itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

TimerKind = Literal["idle", "lifetime", "turn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Seconds are counted from the last activity, the creation or the start of the turn; None is no limit."""

    idle_timeout_seconds: float | None = None
    max_lifetime_seconds: float | None = None
    max_turn_seconds: float | None = None
    expires_at: datetime | None = None

    def over(self, base: "Policy") -> "Policy":
        """This policy, with the gaps filled from `base`."""
        merged = Policy(
            idle_timeout_seconds=_first(self.idle_timeout_seconds, base.idle_timeout_seconds),
            max_lifetime_seconds=_first(self.max_lifetime_seconds, base.max_lifetime_seconds),
            max_turn_seconds=_first(self.max_turn_seconds, base.max_turn_seconds),
            expires_at=self.expires_at or base.expires_at,
        )
        # One object for "none": the hot paths ask for it by identity.
        return NO_POLICY if merged == NO_POLICY else merged


NO_POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline of a session; `due_at` None clears it."""

    kind: TimerKind
    due_at: datetime | None


def idle_deadline(policy: Policy, active_at: datetime) -> datetime | None:
    return _after(active_at, policy.idle_timeout_seconds)


def lifetime_deadline(policy: Policy, opened_at: datetime) -> datetime | None:
    """The earlier of `expires_at` and the lifetime counted from when the session was last opened.

    An `expires_at` that had passed by then does not count: it would end a reopened session at once.
    """
    limit = _after(opened_at, policy.max_lifetime_seconds)
    fixed = policy.expires_at if policy.expires_at is not None and policy.expires_at > opened_at else None
    return min((due for due in (limit, fixed) if due is not None), default=None)


def turn_deadline(policy: Policy, started_at: datetime | None) -> datetime | None:
    return None if started_at is None else _after(started_at, policy.max_turn_seconds)


def _after(start: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else start + timedelta(seconds=seconds)


def _first(own: float | None, base: float | None) -> float | None:
    return base if own is None else own
