"""What the native API sends and takes, as it stands on the wire (`/sojourn/v1/openapi.json`).

Members that a newer server adds are ignored. Instants are aware UTC; durations are in seconds; None means unlimited.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Generic, Literal, Required, TypedDict, TypeVar
from uuid import UUID

import msgspec

from sojourn.client.json import Json
from sojourn.client.tool_types import ClientTool, OnAskExpire, Overlay, ToolRule

T = TypeVar("T")

RunnerKind = Literal["model", "acp", "http", "external"]
SessionStatus = Literal["open", "completed", "failed", "cancelled", "expired"]
EndStatus = Literal["completed", "failed", "cancelled"]
Activity = Literal["idle", "queued", "starting", "busy", "waiting", "retrying"]
Delivery = Literal["queue", "steer", "interrupt"]
InputStatus = Literal["queued", "delivered", "withdrawn"]
TurnStatus = Literal[
    "queued", "starting", "running", "waiting", "retrying", "completed", "failed", "cancelled"
]
Currency = Literal["tokens", "credits", "usd", "turns", "tool_calls", "seconds", "custom"]
BudgetStatus = Literal["active", "paused", "exhausted", "disabled"]
TurnEnd = Literal["completed", "failed", "cancelled"]


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    pass


class Policy(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    idle_timeout_seconds: float | None = None
    max_lifetime_seconds: float | None = None
    max_turn_seconds: float | None = None


class Agent(_Wire, frozen=True, kw_only=True):
    """`version` counts from 1 and is the agent's ETag. `model` None stands for the server's default model."""

    id: UUID
    version: int
    name: str
    description: str | None = None
    instructions: str
    runner: RunnerKind
    model: str | None
    tools: list[str]
    client_tools: list[ClientTool]
    tool_policy: dict[str, ToolRule]
    ask_timeout_seconds: float | None
    on_ask_expire: OnAskExpire
    runner_config: dict[str, Json]
    policy: Policy
    metadata: dict[str, Json]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


class AgentRef(_Wire, frozen=True, kw_only=True):
    id: UUID
    version: int


class Usage(_Wire, frozen=True, kw_only=True):
    """Tokens are counts; `cost_usd` is None where a model's price is not known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: Decimal | None = None


class Session(_Wire, frozen=True, kw_only=True):
    """`last_seq` is the seq of the newest event; `turns`, `queued_inputs` and `presences` are counts.

    A fork shares the log of `forked_from` up to `forked_seq`.
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
    ended_at: datetime | None
    end_reason: str | None
    archived_at: datetime | None
    forked_from: UUID | None
    forked_seq: int | None


class CreatedSession(Session, frozen=True, kw_only=True):
    """`created` is False where `external_id` already named this session."""

    created: bool


class TextPart(_Wire, frozen=True, kw_only=True):
    text: str
    type: Literal["text"] = "text"


class Input(_Wire, frozen=True, kw_only=True):
    """`turn` is the id that the input's own turn has, or will have unless the input is delivered as a steer."""

    id: UUID
    session: UUID
    turn: UUID
    kind: str
    delivery: Delivery
    content: list[TextPart]
    status: InputStatus
    revision: int
    received_at: datetime


class Turn(_Wire, frozen=True, kw_only=True):
    """`attempt` counts claims, `faults` passing faults in a row. `not_before` is when a retry may be claimed."""

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


class Presence(_Wire, frozen=True, kw_only=True):
    """An outside process drives the session. `acquired` is False where this beat renewed an older hold."""

    holder: str
    ttl_seconds: float | None
    last_seen_at: datetime
    acquired: bool


class Budget(_Wire, frozen=True, kw_only=True):
    """Amounts are of `currency`. `balance` is what is left; the session waits above `soft_limit` used."""

    id: UUID
    session: UUID
    currency: Currency
    limit: Decimal
    soft_limit: Decimal | None
    balance: Decimal
    status: BudgetStatus
    metadata: dict[str, Json]
    created_at: datetime
    updated_at: datetime


class BudgetEntry(_Wire, frozen=True, kw_only=True):
    """`amount` was used up; it is below zero for a top-up, and None for a use whose price is not known."""

    id: UUID
    budget: UUID
    number: int
    amount: Decimal | None
    source: str
    session: UUID
    turn: UUID | None
    call: int | None
    seq: int | None
    description: str | None
    at: datetime


class BudgetCheck(_Wire, frozen=True, kw_only=True):
    """What is said of the next model call, and the budget that says so; `warn` still allows it."""

    action: Literal["continue", "warn", "pause", "stop"]
    budget: Budget | None


class Principal(_Wire, frozen=True, kw_only=True):
    """Whose key this is: organisation, key and role."""

    org: UUID
    key: UUID
    role: str


class File(_Wire, frozen=True, kw_only=True):
    """An entry of a session's file area. `sha256` is None for a directory; `seq` is the event that wrote it last."""

    path: str
    is_directory: bool
    sha256: str | None
    size: int
    readonly: bool
    seq: int
    created_at: datetime
    updated_at: datetime


class Match(_Wire, frozen=True, kw_only=True):
    """`line` counts from 1; `text` is the line, cut where it is very long."""

    path: str
    line: int
    text: str


class Matches(_Wire, frozen=True, kw_only=True):
    """`truncated` says that there is more than is shown, or more files than are searched at once."""

    data: list[Match]
    truncated: bool


class Page(_Wire, Generic[T], frozen=True, kw_only=True):
    data: list[T]
    next_cursor: str | None


class Event(_Wire, frozen=True, kw_only=True):
    """An entry of a session's log. `seq` is dense from 1 and the only order; `at` informs.

    Types that a newer server adds are passed through. Large `data` is `{"blob": {"sha256", "size"}}`; see
    `Client.fill_in`.
    """

    seq: int
    id: UUID
    type: str
    v: int
    at: datetime
    turn: UUID | None
    data: dict[str, Json]


class Preview(_Wire, frozen=True, kw_only=True, tag_field="type", tag="preview"):
    """Text of a message being written, from `offset` in characters. Best effort: some may be missed or repeated."""

    message: UUID
    offset: int
    text: str


class CaughtUp(_Wire, frozen=True, kw_only=True, tag_field="type", tag="caught_up"):
    """The replay has reached the head that stood when it began. Comes again after each reconnection."""

    seq: int


class Gap(_Wire, frozen=True, kw_only=True, tag_field="type", tag="gap"):
    """The log before `first_seq` is gone by retention; the stream goes on from there."""

    first_seq: int


StreamItem = Event | Preview | CaughtUp | Gap


class AgentFields(TypedDict, total=False):
    name: str
    description: str | None
    instructions: str
    runner: RunnerKind
    model: str | None
    tools: Sequence[str]
    client_tools: Sequence[ClientTool]
    tool_policy: Mapping[str, ToolRule]
    ask_timeout_seconds: float | None
    on_ask_expire: OnAskExpire
    runner_config: Mapping[str, Json]
    policy: Policy
    metadata: Mapping[str, Json]


class SessionFields(TypedDict, total=False):
    """What a client says of a session. `metadata` and `overlay` replace the whole of theirs."""

    title: str | None
    metadata: Mapping[str, Json]
    tags: Sequence[str]
    policy: Policy
    overlay: Overlay | None


class NewFile(TypedDict, total=False):
    """`content` is the text itself, or with `encoding` "base64" base64 of the bytes."""

    path: Required[str]
    content: Required[str]
    encoding: Literal["text", "base64"]
    readonly: bool


class NewSession(SessionFields, total=False):
    """`agent` is an id or a name; without one the organisation's default agent. `external_id` is create-or-get."""

    id: UUID
    agent: UUID | str
    external_id: str
    files: Sequence[NewFile]


class NewBudget(TypedDict, total=False):
    """`currency` and `limit` are needed. Amounts are exact to twelve places."""

    currency: Currency
    limit: Decimal | int
    soft_limit: Decimal | int | None
    metadata: Mapping[str, Json]


class BudgetChange(TypedDict, total=False):
    """A higher `limit` and the status `active` resume what is paused."""

    limit: Decimal | int
    soft_limit: Decimal | int | None
    metadata: Mapping[str, Json]
    status: Literal["active", "paused", "disabled"]


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
    alias: str
    created_after: datetime
    created_before: datetime
    archived: Literal["true", "false", "any"]
    order: Literal["asc", "desc"]
