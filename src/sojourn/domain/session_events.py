"""What becomes of a session as a whole, and who holds it."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from sojourn.domain.actor import Actor
from sojourn.domain.ids import AgentId, SessionId
from sojourn.domain.kin import Parent
from sojourn.domain.kinds import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated:
    """`parent` is the session that has started this one."""

    type: ClassVar[str] = "session.created"
    v: ClassVar[int] = 2
    agent: AgentId
    agent_version: int
    origin: str
    title: str | None = None
    external_id: str | None = None
    parent: Parent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdated:
    """`changes` holds the new values of the fields that changed."""

    type: ClassVar[str] = "session.updated"
    v: ClassVar[int] = 1
    revision: int
    changes: dict[str, Json]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    type: ClassVar[str] = "session.ended"
    v: ClassVar[int] = 1
    status: Literal["completed", "failed", "cancelled", "expired"]
    by: Actor
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExpired:
    type: ClassVar[str] = "session.expired"
    v: ClassVar[int] = 1
    reason: Literal["idle", "lifetime"]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReopened:
    type: ClassVar[str] = "session.reopened"
    v: ClassVar[int] = 1
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTrimmed:
    """The log begins here: what stood before `first_seq` is gone by the session's policy, with its inputs and files."""

    type: ClassVar[str] = "session.trimmed"
    v: ClassVar[int] = 1
    first_seq: int
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionForked:
    """What stands before is the log of `parent`, up to its seq `at`; what follows is the fork's own.

    The events before keep their seq and their time. Leases, names, budgets, usage and revision begin anew.
    """

    type: ClassVar[str] = "session.forked"
    v: ClassVar[int] = 1
    parent: SessionId
    at: int
    agent: AgentId
    agent_version: int
    title: str | None = None
    external_id: str | None = None
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionImported:
    """What stands before was exported elsewhere as the log of `origin`, up to its seq `at`; what follows is new.

    `head` is the hash of the last event before this one, in the chain of the export. Everything that a fork begins anew
    begins anew here.
    """

    type: ClassVar[str] = "session.imported"
    v: ClassVar[int] = 1
    origin: SessionId
    at: int
    head: str
    agent: AgentId
    agent_version: int
    title: str | None = None
    external_id: str | None = None
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRewound:
    """The conversation goes on behind the event `to`, as if nothing after it had been said.

    What was taken back stays in the log, and its turns and inputs stay what they became. Changes of files that bring
    the area back to what it was then follow as events of their own. A later rewind may be to what this one took back.
    """

    type: ClassVar[str] = "session.rewound"
    v: ClassVar[int] = 1
    to: int
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSessionLinked:
    """A program of its own keeps this session under `provider_session`: the next claim has it go on with that.

    `kind` and `agent` say which program, `cwd` is the directory that the id is bound to. `reason` says why the
    program's session before this one was not gone on with, and was told to the new one instead.
    """

    type: ClassVar[str] = "provider_session.linked"
    v: ClassVar[int] = 1
    kind: str
    agent: str
    provider_session: str
    cwd: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAcquired:
    type: ClassVar[str] = "lease.acquired"
    v: ClassVar[int] = 1
    kind: Literal["presence"]
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReleased:
    type: ClassVar[str] = "lease.released"
    v: ClassVar[int] = 1
    kind: Literal["presence"]
    holder: str
    by: Actor
