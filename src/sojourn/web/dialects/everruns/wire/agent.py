"""An agent as Everruns shows it, and what a client may say of one."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.dialects.everruns.wire.page import Linked

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Object = dict[str, Any]


class CapabilityConfig(Struct, omit_defaults=True):
    ref: str
    config: Object | None = None


class ToolDefinition(Struct):
    """A tool that the client carries out. It may say more, which is kept."""

    name: Annotated[str, Meta(min_length=1)]
    description: str
    parameters: Object
    type: Literal["client_side"] = "client_side"


class InitialFile(Struct, omit_defaults=True):
    path: str
    content: str
    encoding: Literal["text", "base64"] | None = None
    is_readonly: bool | None = None


class NetworkAccess(Struct):
    allowed: list[str] = []
    blocked: list[str] = []


class AgentFields(Struct, kw_only=True):
    """Null is as good as absent."""

    display_name: str | None = None
    description: str | None = None
    default_model_id: str | None = None
    harness_id: str | None = None
    harness_name: str | None = None
    max_iterations: Count | None = None
    parallel_tool_calls: bool | None = None
    tags: list[str] | None = None
    capabilities: list[CapabilityConfig] | None = None
    tools: list[Object] | None = None
    initial_files: list[InitialFile] | None = None
    mcpServers: Object | None = None  # noqa: N815  (the vendor's spelling)
    mcp_servers: Object | None = None
    network_access: NetworkAccess | None = None


class NewAgent(AgentFields, kw_only=True):
    name: str
    system_prompt: str
    id: str | None = None


class AgentChange(AgentFields, kw_only=True):
    """What is absent stays as it is."""

    name: str | None = None
    system_prompt: str | None = None
    status: Literal["active", "archived"] | None = None


class AgentList(Struct):
    search: str = ""
    include_archived: Literal["true", "false"] = "false"
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class NameQuery(Struct):
    name: str
    exclude_id: str | UnsetType = UNSET


class ResourceStats(Struct, kw_only=True):
    """What the sessions of an agent come to; `execution_count` counts their turns."""

    session_count: int
    started_session_count: int
    active_session_count: int
    idle_session_count: int
    waiting_for_tool_results_session_count: int
    execution_count: int
    total_input_tokens: int
    total_output_tokens: int
    total_cache_read_tokens: int
    total_cache_creation_tokens: int
    total_session_duration_ms: int
    avg_session_duration_ms: int | UnsetType = UNSET
    first_session_at: str | UnsetType = UNSET
    last_session_at: str | UnsetType = UNSET
    last_execution_at: str | UnsetType = UNSET
    total_cost_usd: float | UnsetType = UNSET


class Available(Struct):
    available: bool


class Agent(Linked, kw_only=True):
    id: str
    name: str
    system_prompt: str
    harness_id: str
    status: Literal["active", "archived"]
    tags: list[str]
    capabilities: list[CapabilityConfig]
    tools: list[Object]
    initial_files: list[Object]
    mcpServers: Object  # noqa: N815
    created_at: str
    updated_at: str
    archived_at: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    default_model_id: str | UnsetType = UNSET
    network_access: Object | UnsetType = UNSET
    max_iterations: int | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
