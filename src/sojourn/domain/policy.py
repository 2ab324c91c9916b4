"""Lifecycle policy: the limits of a session, as data on its organisation, its agent and itself."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final, Literal

TimerKind = Literal["idle", "lifetime", "turn", "start", "log", "retain"]
# Of an ended session; a number is how many seconds after its end.
Reopen = Literal["always", "never"] | float

# A runner that has to start something and has not said a word by then has failed to.
DEFAULT_START_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """None is no limit; for `max_start_seconds` it is the default, and for `reopen` it is always.

    Seconds are counted from the last activity (`idle`), the creation or last reopening (`lifetime`), the first claim
    of the turn (`turn`), each claim of it (`start`), the receipt of the input (`queued`), and the session's end
    (`reopen`, `retain_log`, `retain`). `extended_to` holds off the end of an open session until then.
    """

    idle_timeout_seconds: float | None = None
    max_lifetime_seconds: float | None = None
    max_turn_seconds: float | None = None
    max_start_seconds: float | None = None
    max_queued_seconds: float | None = None
    reopen: Reopen | None = None
    retain_log_seconds: float | None = None
    retain_seconds: float | None = None
    expires_at: datetime | None = None
    extended_to: datetime | None = None

    def over(self, base: "Policy") -> "Policy":
        """This policy, with the gaps filled from `base`."""
        if base is NO_POLICY:
            return self
        own = {name: value for name in _FIELDS if (value := getattr(self, name)) is not None}
        merged = Policy(**{name: getattr(base, name) for name in _FIELDS} | own)
        # One object for "none": the hot paths ask for it by identity.
        return NO_POLICY if merged == NO_POLICY else merged


NO_POLICY = Policy()
_FIELDS: Final = tuple(field.name for field in fields(Policy))


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline of a session; `due_at` None clears it."""

    kind: TimerKind
    due_at: datetime | None


def idle_deadline(policy: Policy, active_at: datetime) -> datetime | None:
    return _held_off(policy, after(active_at, policy.idle_timeout_seconds))


def lifetime_deadline(policy: Policy, opened_at: datetime) -> datetime | None:
    """The earlier of `expires_at` and the lifetime counted from when the session was last opened.

    An `expires_at` that had passed by then does not count: it would end a reopened session at once.
    """
    limit = after(opened_at, policy.max_lifetime_seconds)
    fixed = policy.expires_at if policy.expires_at is not None and policy.expires_at > opened_at else None
    return _held_off(policy, min((due for due in (limit, fixed) if due is not None), default=None))


def _held_off(policy: Policy, due: datetime | None) -> datetime | None:
    if due is None or policy.extended_to is None:
        return due
    return max(due, policy.extended_to)


def turn_deadline(policy: Policy, started_at: datetime | None) -> datetime | None:
    return None if started_at is None else after(started_at, policy.max_turn_seconds)


def start_deadline(policy: Policy, claimed_at: datetime) -> datetime:
    seconds = policy.max_start_seconds
    return claimed_at + timedelta(seconds=DEFAULT_START_SECONDS if seconds is None else seconds)


def may_reopen(policy: Policy, ended_at: datetime, now: datetime) -> bool:
    match policy.reopen:
        case None | "always":
            return True
        case "never":
            return False
        case seconds:
            return now <= ended_at + timedelta(seconds=seconds)


def after(start: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else start + timedelta(seconds=seconds)
