"""What the native API sends and takes, as it stands on the wire (`/sojourn/v1/openapi.json`).

Members that a newer server adds are ignored. Instants are aware UTC; durations are in seconds; None means unlimited.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, TypedDict, TypeVar
from uuid import UUID

from sojourn.client.agent_types import AgentRef, Policy
from sojourn.client.file_types import NewFile
from sojourn.client.json import Json
from sojourn.client.tool_types import Overlay
from sojourn.client.wire import Wire

T = TypeVar("T")

SessionStatus = Literal["open", "completed", "failed", "cancelled", "expired"]
EndStatus = Literal["completed", "failed", "cancelled"]
Activity = Literal["idle", "queued", "starting", "busy", "waiting", "retrying"]
Delivery = Literal["queue", "steer", "interrupt"]
Source = Literal["human", "agent", "schedule"]
InputStatus = Literal["queued", "delivered", "withdrawn"]
TurnStatus = Literal[
    "queued", "starting", "running", "waiting", "retrying", "completed", "failed", "cancelled"
]
TurnEnd = Literal["completed", "failed", "cancelled"]


class Usage(Wire, frozen=True, kw_only=True):
    """Tokens are counts; `cost_usd` is None where a model's price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: Decimal | None = None


class Parent(Wire, frozen=True, kw_only=True):
    """The session that has started another, with its turn and the ask that waited for the answer."""

    session: UUID
    turn: UUID
    ask: UUID


class Session(Wire, frozen=True, kw_only=True):
    """`last_seq` is the seq of the newest event; `turns`, `queued_inputs`, `presences` and `children` are counts.

    A fork shares the log of `forked_from` up to `forked_seq`. A session without a `parent` is its own `root`.
    `waits_for_pool` is the pool whose workers its queued turn waits for; only `get_session` tells.
    """

    id: UUID
    agent: AgentRef
    status: SessionStatus
    activity: Activity
    title: str | None
    metadata: dict[str, Json]
    tags: list[str]
    external_id: str | None
    alias: str | None
    origin: str
    policy: Policy
    overlay: Overlay | None
    usage: Usage
    revision: int
    first_seq: int
    last_seq: int
    open_turn: UUID | None
    turns: int
    queued_inputs: int
    presences: int
    created_at: datetime
    updated_at: datetime
    active_at: datetime
    expires_at: datetime | None
    expires_by: Literal["idle", "lifetime"] | None = None
    ended_at: datetime | None
    end_reason: str | None
    archived_at: datetime | None
    forked_from: UUID | None
    forked_seq: int | None
    waits_for_pool: str | None = None
    parent: Parent | None = None
    root: UUID | None = None
    children: int = 0


class TreeNode(Wire, frozen=True, kw_only=True):
    """A session of a tree; `depth` counts from the one that was asked for."""

    id: UUID
    parent: UUID | None
    depth: int
    agent: AgentRef
    title: str | None
    status: SessionStatus
    activity: Activity
    usage: Usage
    turns: int
    created_at: datetime
    ended_at: datetime | None


class SessionTree(Wire, frozen=True, kw_only=True):
    """Each of the `nodes` stands before its children; `usage` is that of all of them.

    `whole` is False where there are more than were asked for.
    """

    root: UUID
    nodes: list[TreeNode]
    usage: Usage
    whole: bool


class CreatedSession(Session, frozen=True, kw_only=True):
    """`created` is False where `external_id` already named this session."""

    created: bool


class TextPart(Wire, frozen=True, kw_only=True):
    text: str
    type: Literal["text"] = "text"


class Input(Wire, frozen=True, kw_only=True):
    """`turn` is the id that the input's own turn has, or will have unless the input is delivered as a steer."""

    id: UUID
    session: UUID
    turn: UUID
    kind: str
    delivery: Delivery
    content: list[TextPart]
    status: InputStatus
    priority: str
    revision: int
    received_at: datetime
    expires_at: datetime | None = None
    model: str | None = None


class Turn(Wire, frozen=True, kw_only=True):
    """`attempt` counts claims, `faults` passing faults in a row. `not_before` is when a retry may be claimed.

    `model` is the one that its input has named.
    """

    id: UUID
    session: UUID
    input: UUID
    status: TurnStatus
    attempt: int
    faults: int
    reason: str | None
    error: str | None
    worker: str | None
    agent_version: int | None
    not_before: datetime | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    model: str | None = None


class Presence(Wire, frozen=True, kw_only=True):
    """An outside process drives the session. `acquired` is False where this beat renewed an older hold."""

    holder: str
    ttl_seconds: float | None
    last_seen_at: datetime
    acquired: bool


class HeldPresence(Wire, frozen=True, kw_only=True):
    """`stale` says that its holder was not heard of for half an hour; that alone ends nothing."""

    holder: str
    ttl_seconds: float | None
    last_seen_at: datetime
    stale: bool


class HeldPresences(Wire, frozen=True, kw_only=True):
    data: list[HeldPresence]


class Principal(Wire, frozen=True, kw_only=True):
    """Whose key this is: organisation, key and role."""

    org: UUID
    key: UUID
    role: str


class Interrupted(Wire, frozen=True, kw_only=True):
    interrupted: bool


class Page(Wire, Generic[T], frozen=True, kw_only=True):
    data: list[T]
    next_cursor: str | None


class SessionFields(TypedDict, total=False):
    """What a client says of a session. `metadata` and `overlay` replace the whole of theirs."""

    title: str | None
    metadata: Mapping[str, Json]
    tags: Sequence[str]
    policy: Policy
    overlay: Overlay | None


class NewSession(SessionFields, total=False):
    """`agent` is an id or a name; without one the organisation's default agent. `external_id` is create-or-get."""

    id: UUID
    agent: UUID | str
    external_id: str
    files: Sequence[NewFile]


class NewFork(TypedDict, total=False):
    """`at` is the last seq that the fork shares. What is left out is as the parent's.

    An `external_id` makes it create-or-get.
    """

    at: int
    title: str | None
    metadata: Mapping[str, Json]
    tags: Sequence[str]
    agent: UUID | str
    external_id: str


class SessionFilter(TypedDict, total=False):
    """Any of `status`, any of `activity`, all of `tags`, and every pair of `metadata`. Order is by creation."""

    status: Sequence[SessionStatus]
    activity: Sequence[Activity]
    agent: UUID | str
    tags: Sequence[str]
    metadata: Mapping[str, str]
    external_id: str
    forked_from: UUID
    parent: UUID
    alias: str
    created_after: datetime
    created_before: datetime
    archived: Literal["true", "false", "any"]
    order: Literal["asc", "desc"]
