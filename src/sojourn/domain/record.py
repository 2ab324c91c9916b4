"""Records that clients read: a session with everything a client said of it, a lease, a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sojourn.domain.content import Usage
from sojourn.domain.ids import AgentId, KeyId, OrgId, SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.overlay import Overlay
from sojourn.domain.session import Session, expiry
from sojourn.domain.worker import NO_LIMITS, WorkerLimits

LeaseKind = Literal["turn", "work", "presence"]
# A reporter reads, and says which sessions it drives; a worker claims turns, and sees those that it has.
Role = Literal["admin", "member", "reporter", "worker"]

# A presence without a beat for longer is stale. That is a label: nothing ends for it by itself.
STALE_AFTER: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """`origin` is the dialect that made the session; `first_seq` the oldest event that retention has kept.

    `facet` is the JSON text of the facet that the reader asked for, None if there is none. An `alias` is an outside
    name that sessions may share; the newest of them is meant by it. A fork shares the log of `forked_from` up to
    `forked_seq`. `overlay` is what the session adds to its agent, None if nothing.
    """

    session: Session
    origin: str
    title: str | None
    metadata: Mapping[str, Json]
    tags: tuple[str, ...]
    external_id: str | None
    first_seq: int
    usage: Usage
    facet: str | None = None
    alias: str | None = None
    forked_from: SessionId | None = None
    forked_seq: int | None = None
    overlay: Overlay | None = None

    @property
    def expires_at(self) -> datetime | None:
        """When policy ends the session if nothing happens before."""
        due = expiry(self.session)
        return None if due is None else due.at


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTotals:
    """What some sessions come to together. A session's duration ends when it ended, or was last active.

    The instants are those of the oldest and the newest session, and of the newest activity; None of no session.
    """

    sessions: int
    turns: int
    usage: Usage
    duration_seconds: float
    first_at: datetime | None
    last_at: datetime | None
    active_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """`ttl_seconds` None never expires by itself. `boot` names the process whose life is the lease's."""

    org: OrgId
    session: SessionId
    kind: LeaseKind
    holder: str
    ttl_seconds: float | None
    last_seen_at: datetime
    boot: str | None = None

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has heard of its holder for longer than a working process is silent."""
        return now - self.last_seen_at > STALE_AFTER


@dataclass(frozen=True, slots=True)
class DrivenSession:
    """An open session that a process outside drives. `last_seen_at` is the latest beat of any of its holders.

    `facet` is the JSON text of the fields that the dialect which made the session keeps of its own.
    """

    id: SessionId
    agent: AgentId
    agent_version: int
    origin: str
    created_at: datetime
    last_seen_at: datetime
    facet: str | None

    def is_stale(self, now: datetime) -> bool:
        return now - self.last_seen_at > STALE_AFTER


# Before the names of the secrets that clients store; the others are the server's own.
CLIENT_SECRETS: Final = "client/"


def session_secret(session: SessionId, name: str) -> str:
    """The name of a secret that belongs to a session, among those of its organisation."""
    return f"session/{session.hex}/{name}"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who makes a request: a key of an organisation, with the scopes that its role gives.

    `limits` say which turns a worker with this key may claim.
    """

    org: OrgId
    key: KeyId
    role: Role
    limits: WorkerLimits = NO_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A credential. Only the SHA-256 of its token is kept."""

    id: KeyId
    org: OrgId
    name: str
    role: Role
    token_hash: bytes
    created_at: datetime
    limits: WorkerLimits = NO_LIMITS
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What an idempotency record remembers of the first answer."""

    request_hash: bytes
    status: int
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What is left of a deleted session."""

    id: SessionId
    last_seq: int
    deleted_at: datetime
    by: KeyId | None
