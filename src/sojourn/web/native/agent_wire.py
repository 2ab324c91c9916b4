"""What the native API says of agents and of what a session adds to one."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.domain.agent import DEFAULT_MODEL_CALLS, MOST_MODEL_CALLS
from sojourn.domain.capability import MAX_CAPABILITIES, REFERENCE
from sojourn.domain.kin import MAX_CHILDREN, MAX_DEPTH
from sojourn.web.native.wire import AgentName, Description, Instant, Name, Object, Policy, RunnerKind, Seconds


class ClientTool(Struct, forbid_unknown_fields=True):
    """A tool that the model may call and a client carries out. Without `parameters` it takes none."""

    name: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$(?!\\n)")]
    description: Annotated[str, Meta(max_length=10_000)] = ""
    parameters: Annotated[
        dict[str, Any], Meta(description="A JSON Schema of type object, of at most 64 KiB and 64 levels.")
    ] = {}


ClientTools = Annotated[list[ClientTool], Meta(max_length=128)]

ToolRule = Literal["allow", "ask", "deny"]

OnAskExpire = Literal["deny", "allow", "keep"]


class DetailedRule(Struct, forbid_unknown_fields=True):
    """A rule with a deadline of its own for asks of the tool; null is as for the other asks.

    `on_lost` says what becomes of a call whose worker was lost while it ran: it is run again, the turn fails, somebody
    is asked whether to run it again, or the model is told. Null is as the tool says whether running it twice does harm.
    """

    rule: ToolRule
    timeout_seconds: Seconds | None = None
    on_expire: OnAskExpire | None = None
    on_lost: Literal["retry", "fail", "ask", "report"] | None = None


ToolPolicy = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=200)], ToolRule | DetailedRule],
    Meta(
        max_length=256,
        description="Rules by the names of tools, under `*` for the others; without one `allow`.",
    ),
]


class Capability(Struct, forbid_unknown_fields=True):
    """A kind of the catalogue with its configuration, whose schema is in the catalogue."""

    kind: Name
    config: Object = {}


Reference = Annotated[str, Meta(pattern=REFERENCE)]

Capabilities = Annotated[
    dict[Reference, Capability],
    Meta(
        max_length=MAX_CAPABILITIES,
        description="By names of the agent's own, which begin the names of tools that a server tells of.",
    ),
]


ModelCalls = Annotated[
    int,
    Meta(
        ge=1,
        le=MOST_MODEL_CALLS,
        description=f"Of one turn of the runner model, which fails beyond them. Null is {DEFAULT_MODEL_CALLS}.",
    ),
]


class Overlay(Struct, forbid_unknown_fields=True):
    """What a session adds to its agent: instructions behind the agent's, another model, tools and rules about them.

    At most 256 KiB. Null is as the agent has it; as a capability it takes the agent's of that name away.
    """

    instructions: str = ""
    model: Name | None = None
    tools: Annotated[list[Name], Meta(max_length=1000)] = []
    client_tools: ClientTools = []
    tool_policy: ToolPolicy = {}
    ask_timeout_seconds: Seconds | None = None
    on_ask_expire: OnAskExpire | None = None
    capabilities: Annotated[dict[Reference, Capability | None], Meta(max_length=MAX_CAPABILITIES)] = {}
    max_model_calls: ModelCalls | None = None


class Compaction(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a conversation that is too long for its model: it is summarised, or the turn fails.

    With `at_tokens` it is summarised before that, once a model call has read and written so many tokens.
    """

    when_full: Literal["compact", "fail"] = "compact"
    at_tokens: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None


class SubSessions(Struct, frozen=True, forbid_unknown_fields=True):
    """Which sessions the tool `run_session` may start: of these agents, by name or id (null: of any), no deeper than so
    many below the top of a tree, and no more than so many for each session.
    """

    agents: Annotated[tuple[AgentName, ...], Meta(max_length=1000)] | None = None
    max_depth: Annotated[int, Meta(ge=0, le=MAX_DEPTH)] = 3
    max_children: Annotated[int, Meta(ge=0, le=MAX_CHILDREN)] = 100


class NewAgent(Struct, forbid_unknown_fields=True):
    """Any free UUID may be its `id`."""

    name: AgentName
    id: UUID | None = None
    description: Description | None = None
    instructions: str = ""
    runner: RunnerKind = "model"
    model: Name | None = None
    tools: Annotated[list[Name], Meta(max_length=1000)] = []
    capabilities: Capabilities = {}
    client_tools: ClientTools = []
    tool_policy: ToolPolicy = {}
    ask_timeout_seconds: Seconds | None = None
    on_ask_expire: OnAskExpire = "deny"
    compaction: Compaction = Compaction()
    sub_sessions: SubSessions = SubSessions()
    max_model_calls: ModelCalls | None = None
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
    capabilities: Capabilities | UnsetType = UNSET
    client_tools: ClientTools | UnsetType = UNSET
    tool_policy: ToolPolicy | UnsetType = UNSET
    ask_timeout_seconds: Seconds | UnsetType | None = UNSET
    on_ask_expire: OnAskExpire | UnsetType = UNSET
    compaction: Compaction | UnsetType = UNSET
    sub_sessions: SubSessions | UnsetType = UNSET
    max_model_calls: ModelCalls | UnsetType | None = UNSET
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
    capabilities: dict[str, Capability]
    client_tools: list[ClientTool]
    tool_policy: ToolPolicy
    ask_timeout_seconds: float | None
    on_ask_expire: OnAskExpire
    compaction: Compaction
    sub_sessions: SubSessions
    max_model_calls: int | None
    runner_config: dict[str, Any]
    policy: Policy
    metadata: dict[str, Any]
    created_at: Instant
    updated_at: Instant
    archived_at: Instant | None


class Agents(Struct):
    data: list[Agent]
    next_cursor: str | None
