"""The native API's own format: one struct per JSON object, from which its OpenAPI schemas are made.

Times are RFC 3339 in UTC, ids are dashed UUIDs, durations are seconds, money is a decimal string.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.domain.file import MAX_INITIAL_FILES, MAX_PATH

Name = Annotated[str, Meta(max_length=1000)]
# Four bytes a letter, and an index of Postgres holds no more than 2,704 of them.
AgentName = Annotated[str, Meta(min_length=1, max_length=500)]
Description = Annotated[str, Meta(max_length=10_000)]
Tag = Annotated[str, Meta(min_length=1, max_length=200)]
Tags = Annotated[list[Tag], Meta(max_length=64)]
ExternalId = Annotated[str, Meta(min_length=1, max_length=500)]
Holder = Annotated[str, Meta(min_length=1, max_length=200)]
Path = Annotated[str, Meta(min_length=1, max_length=MAX_PATH)]
Object = Annotated[
    dict[str, Any],
    Meta(description="At most 64 KiB of JSON, 64 levels deep.", extra_json_schema={"maxProperties": 64}),
]
# A billion seconds are 31 years: far enough, and no sum of dates overflows.
Seconds = Annotated[float, Meta(gt=0, le=1_000_000_000)]
Instant = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0)]

RunnerKind = Literal["model", "acp", "http", "external"]
SessionStatus = Literal["open", "completed", "failed", "cancelled", "expired"]
Activity = Literal["idle", "queued", "starting", "busy", "waiting", "retrying"]
InputStatus = Literal["queued", "delivered", "withdrawn"]
InputKind = Literal["message", "tool_result", "decision", "interrupt"]
Delivery = Literal["queue", "steer", "interrupt"]
TurnStatus = Literal[
    "queued", "starting", "running", "waiting", "retrying", "completed", "failed", "cancelled"
]


class Nothing(Struct, forbid_unknown_fields=True):
    """An empty object."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """Lifecycle limits; null is none."""

    idle_timeout_seconds: Seconds | None = None
    max_lifetime_seconds: Seconds | None = None
    max_turn_seconds: Seconds | None = None


class TextPart(Struct, tag_field="type", tag="text", forbid_unknown_fields=True):
    text: str


Content = Annotated[str, Meta(min_length=1)] | Annotated[list[TextPart], Meta(min_length=1, max_length=1000)]


class Me(Struct):
    """The organisation and the key that a request is made with."""

    org: UUID
    key: UUID
    role: Literal["admin", "member", "worker"]


class Health(Struct):
    status: Literal["ok"]
    version: str


class ClientTool(Struct, forbid_unknown_fields=True):
    """A tool that the model may call and a client carries out. Without `parameters` it takes none."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    description: Annotated[str, Meta(max_length=10_000)] = ""
    parameters: Annotated[
        dict[str, Any], Meta(description="A JSON Schema of type object, of at most 64 KiB and 64 levels.")
    ] = {}


ClientTools = Annotated[list[ClientTool], Meta(max_length=128)]


ToolPolicy = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=200)], Literal["allow", "ask", "deny"]],
    Meta(
        max_length=256,
        description="Rules by the names of tools, under `*` for the others; without one `allow`.",
    ),
]
OnAskExpire = Literal["deny", "allow", "keep"]


class Overlay(Struct, forbid_unknown_fields=True):
    """What a session adds to its agent: instructions behind the agent's, another model, tools and rules about them.

    At most 256 KiB. Null is as the agent has it.
    """

    instructions: str = ""
    model: Name | None = None
    tools: Annotated[list[Name], Meta(max_length=1000)] = []
    client_tools: ClientTools = []
    tool_policy: ToolPolicy = {}
    ask_timeout_seconds: Seconds | None = None
    on_ask_expire: OnAskExpire | None = None


class NewAgent(Struct, forbid_unknown_fields=True):
    """Any free UUID may be its `id`."""

    name: AgentName
    id: UUID | None = None
    description: Description | None = None
    instructions: str = ""
    runner: RunnerKind = "model"
    model: Name | None = None
    tools: Annotated[list[Name], Meta(max_length=1000)] = []
    client_tools: ClientTools = []
    tool_policy: ToolPolicy = {}
    ask_timeout_seconds: Seconds | None = None
    on_ask_expire: OnAskExpire = "deny"
    runner_config: Object = {}
    policy: Policy = Policy()
    metadata: Object = {}


class AgentChange(Struct, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    name: AgentName | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    instructions: str | UnsetType = UNSET
    runner: RunnerKind | UnsetType = UNSET
    model: Name | UnsetType | None = UNSET
    tools: Annotated[list[Name], Meta(max_length=1000)] | UnsetType = UNSET
    client_tools: ClientTools | UnsetType = UNSET
    tool_policy: ToolPolicy | UnsetType = UNSET
    ask_timeout_seconds: Seconds | UnsetType | None = UNSET
    on_ask_expire: OnAskExpire | UnsetType = UNSET
    runner_config: Object | UnsetType = UNSET
    policy: Policy | UnsetType = UNSET
    metadata: Object | UnsetType = UNSET


class AgentCopy(Struct, forbid_unknown_fields=True):
    """Without a name the copy is called after the other."""

    name: AgentName | None = None


class Agent(Struct):
    id: UUID
    version: int
    name: str
    description: str | None
    instructions: str
    runner: RunnerKind
    model: str | None
    tools: list[str]
    client_tools: list[ClientTool]
    tool_policy: ToolPolicy
    ask_timeout_seconds: float | None
    on_ask_expire: OnAskExpire
    runner_config: dict[str, Any]
    policy: Policy
    metadata: dict[str, Any]
    created_at: Instant
    updated_at: Instant
    archived_at: Instant | None


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


class NewFork(Struct, forbid_unknown_fields=True):
    """`at` is the last seq that the fork shares; without it all of the log. What is left out is as the parent's."""

    at: Annotated[int, Meta(ge=1, le=2**63 - 1)] | UnsetType = UNSET
    title: Name | UnsetType | None = UNSET
    metadata: Object | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    agent: AgentName | UnsetType = UNSET
    external_id: ExternalId | UnsetType = UNSET


class Session(Struct):
    """A fork shares the log of `forked_from` up to `forked_seq`.

    `alias` is a name that a vendor's client gave, and that other sessions may have too.
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
    ended_at: Instant | None
    end_reason: str | None
    archived_at: Instant | None
    forked_from: UUID | None
    forked_seq: int | None


class CreatedSession(Session):
    """`created` is false where the external id named a session that was there already."""

    created: bool


class SessionEnd(Struct, forbid_unknown_fields=True):
    status: Literal["completed", "failed", "cancelled"] = "completed"
    reason: Name | None = None


class NewPresence(Struct, forbid_unknown_fields=True):
    """`ttl_seconds` null never expires by itself."""

    holder: Holder
    ttl_seconds: Seconds | None = None


class Presence(Struct):
    holder: str
    ttl_seconds: float | None
    last_seen_at: Instant
    acquired: bool


class NewInput(Struct, forbid_unknown_fields=True):
    """`expected_seq` asserts that the log still ends there: 409 if something happened since."""

    content: Content
    delivery: Delivery = "queue"
    expected_seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET


class InputChange(Struct, forbid_unknown_fields=True):
    content: Content


class Input(Struct):
    id: UUID
    session: UUID
    turn: UUID
    kind: InputKind
    delivery: Delivery
    content: list[TextPart]
    status: InputStatus
    revision: Count
    received_at: Instant


class Turn(Struct):
    id: UUID
    session: UUID
    input: UUID
    status: TurnStatus
    attempt: Count
    faults: Count
    reason: str | None
    error: str | None
    worker: str | None
    agent_version: int | None
    not_before: Instant | None
    created_at: Instant
    started_at: Instant | None
    ended_at: Instant | None


class Problem(Struct, omit_defaults=True):
    """RFC 9457. `field` names the part of the request that is wrong."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    field: str | None = None


class Agents(Struct):
    data: list[Agent]
    next_cursor: str | None


class Sessions(Struct):
    data: list[Session]
    next_cursor: str | None


class Inputs(Struct):
    data: list[Input]
    next_cursor: str | None


class Turns(Struct):
    data: list[Turn]
    next_cursor: str | None
