"""What the native API says of sessions, their forks and presences."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.domain.file import MAX_INITIAL_FILES
from sojourn.web.native.agent_wire import Overlay
from sojourn.web.native.wire import (
    AgentName,
    Count,
    ExternalId,
    Holder,
    Instant,
    Name,
    Object,
    Path,
    Policy,
    Seconds,
    Tags,
)

SessionStatus = Literal["open", "completed", "failed", "cancelled", "expired"]

Activity = Literal["idle", "queued", "starting", "busy", "waiting", "retrying"]


class AgentVersion(Struct):
    id: UUID
    version: int


class Usage(Struct):
    """What model calls consumed; `cost_usd` is null where the price of a model is not known."""

    input_tokens: Count
    output_tokens: Count
    cache_read_tokens: Count
    cache_write_tokens: Count
    cost_usd: str | None


class NewFile(Struct, forbid_unknown_fields=True):
    """`content` is the text itself, or base64 of the bytes."""

    path: Path
    content: str
    encoding: Literal["text", "base64"] = "text"
    readonly: bool = False


class NewSession(Struct, forbid_unknown_fields=True):
    """`agent` is an id or a name. `external_id` makes the request create-or-get."""

    id: UUID | None = None
    agent: AgentName | None = None
    title: Name | None = None
    metadata: Object = {}
    tags: Tags = []
    external_id: ExternalId | None = None
    policy: Policy = Policy()
    files: Annotated[list[NewFile], Meta(max_length=MAX_INITIAL_FILES)] = []
    overlay: Overlay | None = None


class SessionChange(Struct, forbid_unknown_fields=True):
    """What is left out stays as it is; `metadata`, `tags` and `overlay` are replaced as a whole."""

    title: Name | UnsetType | None = UNSET
    metadata: Object | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    policy: Policy | UnsetType = UNSET
    overlay: Overlay | UnsetType | None = UNSET


class ImportedSession(Struct):
    """What an import takes over of what an export says of its session; it says more."""

    title: Name | None = None
    metadata: Object = {}
    tags: Tags = []
    policy: Policy = Policy()
    overlay: Overlay | None = None


class NewFork(Struct, forbid_unknown_fields=True):
    """`at` is the last seq that the fork shares; without it all of the log. What is left out is as the parent's."""

    at: Annotated[int, Meta(ge=1, le=2**63 - 1)] | UnsetType = UNSET
    title: Name | UnsetType | None = UNSET
    metadata: Object | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    agent: AgentName | UnsetType = UNSET
    external_id: ExternalId | UnsetType = UNSET


class Rewind(Struct, forbid_unknown_fields=True):
    """`to_seq` is the last event that is kept: one at which no turn was open. `expected_seq` is as of an input."""

    to_seq: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    expected_seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET


class Parent(Struct):
    """The session that has started another, with its turn and the ask that waited for the answer."""

    session: UUID
    turn: UUID
    ask: UUID


class Session(Struct):
    """A fork shares the log of `forked_from` up to `forked_seq`.

    `parent` is null of a session that no agent has started, which is then its own `root`; `children` counts those
    that it has asked for. `alias` is a name that a vendor's client gave, and that other sessions may have too.
    `waits_for_pool` is the pool whose workers a queued turn of an `external` agent waits for, told of one session only.
    `expires_at` is when policy ends the session if nothing happens before, and `expires_by` the limit that does.
    """

    id: UUID
    agent: AgentVersion
    status: SessionStatus
    activity: Activity
    title: str | None
    metadata: dict[str, Any]
    tags: list[str]
    external_id: str | None
    alias: str | None
    origin: str
    policy: Policy
    overlay: Overlay | None
    usage: Usage
    revision: Count
    first_seq: int
    last_seq: int
    open_turn: UUID | None
    turns: Count
    queued_inputs: Count
    presences: Count
    created_at: Instant
    updated_at: Instant
    active_at: Instant
    expires_at: Instant | None
    expires_by: Literal["idle", "lifetime"] | None
    ended_at: Instant | None
    end_reason: str | None
    archived_at: Instant | None
    forked_from: UUID | None
    forked_seq: int | None
    waits_for_pool: str | None
    parent: Parent | None
    root: UUID
    children: Count


class CreatedSession(Session):
    """`created` is false where the external id named a session that was there already."""

    created: bool


class SessionEnd(Struct, forbid_unknown_fields=True):
    status: Literal["completed", "failed", "cancelled"] = "completed"
    reason: Name | None = None


class SessionExtension(Struct, forbid_unknown_fields=True):
    """Exactly one of the two: an instant, or so many seconds from now."""

    seconds: Seconds | UnsetType = UNSET
    expires_at: Instant | UnsetType = UNSET


class NewPresence(Struct, forbid_unknown_fields=True):
    """Without a beat for `ttl_seconds` the presence ends by itself; null never does. The newest beat says which."""

    holder: Holder
    ttl_seconds: Seconds | None = None


class Presence(Struct):
    holder: str
    ttl_seconds: float | None
    last_seen_at: Instant
    acquired: bool


class HeldPresence(Struct):
    """`stale` says that its holder was not heard of for half an hour; that alone ends nothing."""

    holder: str
    ttl_seconds: float | None
    last_seen_at: Instant
    stale: bool


class Presences(Struct):
    data: list[HeldPresence]


class Sessions(Struct):
    data: list[Session]
    next_cursor: str | None


class TreeNode(Struct):
    """A session of a tree; `depth` counts from the one that was asked for."""

    id: UUID
    parent: UUID | None
    depth: Count
    agent: AgentVersion
    title: str | None
    status: SessionStatus
    activity: Activity
    usage: Usage
    turns: Count
    created_at: Instant
    ended_at: Instant | None


class SessionTree(Struct):
    """A session and those below it, each before its children. `usage` is that of all `nodes` together.

    `whole` is false where there are more sessions than the limit, of which the nearest are shown.
    """

    root: UUID
    nodes: list[TreeNode]
    usage: Usage
    whole: bool
