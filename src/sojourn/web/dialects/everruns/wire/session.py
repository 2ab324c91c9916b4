"""A session as Everruns shows it, and what a client may say of one."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from sojourn.web.dialects.everruns.wire.agent import (
    CapabilityConfig,
    Count,
    InitialFile,
    NetworkAccess,
    Object,
)

# The client knows these four and refuses any other.
Status = Literal["started", "active", "idle", "waitingfortoolresults"]
Activity = Literal["running", "paused", "failed", "completed", "idle"]
Source = Literal[
    "chat",
    "api",
    "slack",
    "ag_ui",
    "fcp",
    "schedule",
    "webhook",
    "a2a",
    "eval",
    "subagent",
    "unknown",
]
Instant = Annotated[datetime, Meta(tz=True)]


class NewSession(Struct, kw_only=True):
    """Null is as good as absent, and fields that are not here are ignored."""

    agent_id: str | None = None
    agent_name: str | None = None
    harness_id: str | None = None
    harness_name: str | None = None
    title: str | None = None
    goal: str | None = None
    locale: str | None = None
    system_prompt: str | None = None
    model_id: str | None = None
    tags: list[str] | None = None
    capabilities: list[CapabilityConfig] | None = None
    tools: list[Object] | None = None
    initial_files: list[InitialFile] | None = None
    mcpServers: Object | None = None  # noqa: N815  (the vendor's spelling)
    mcp_servers: Object | None = None
    hints: Object | None = None
    network_access: NetworkAccess | None = None
    max_iterations: Count | None = None
    parallel_tool_calls: bool | None = None
    workspace_id: str | None = None
    source: Literal["chat", "api"] | None = None
    agent_identity_id: str | None = None


class SessionChange(Struct, kw_only=True):
    """What is absent stays as it is; null takes it away, and leaves the tags alone."""

    title: str | UnsetType | None = UNSET
    goal: str | UnsetType | None = UNSET
    locale: str | UnsetType | None = UNSET
    tags: list[str] | None = None
    agent_identity_id: str | UnsetType | None = UNSET


class Session(Struct, kw_only=True):
    id: str
    organization_id: str
    workspace_id: str
    harness_id: str
    agent_id: str
    owner_principal_id: str
    status: Status
    activity: Activity
    source: Source
    tags: list[str]
    capabilities: list[Object]
    tools: list[Object]
    features: list[str]
    is_pinned: bool
    created_at: str
    updated_at: str
    title: str | UnsetType = UNSET
    goal: str | UnsetType = UNSET
    locale: str | UnsetType = UNSET
    preview: str | UnsetType = UNSET
    output_preview: str | UnsetType = UNSET
    model_id: str | UnsetType = UNSET
    system_prompt: str | UnsetType = UNSET
    initial_files: list[Object] | UnsetType = UNSET
    mcpServers: Object | UnsetType = UNSET  # noqa: N815
    hints: Object | UnsetType = UNSET
    network_access: Object | UnsetType = UNSET
    max_iterations: int | UnsetType = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    agent_identity_id: str | UnsetType = UNSET
    started_at: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
    usage: dict[str, Any] | UnsetType = UNSET
    parent_session_id: str | UnsetType = UNSET
    forked_from_session_id: str | UnsetType = UNSET
    forked_from_sequence: int | UnsetType = UNSET
    self_url: str | UnsetType = UNSET
    view_url: str | UnsetType = UNSET
    ui_link: str | UnsetType = UNSET
    # A list of AllowedAction.
    allowed_actions: Raw | UnsetType = UNSET


class SessionFilter(Struct, kw_only=True):
    agent_id: str | None = None
    search: str | None = None
    source: str | None = None
    status: str | None = None
    mine: bool = False
    created_after: Instant | None = None
    created_before: Instant | None = None
    order: Literal["created_at", "last_activity"] = "created_at"


class SessionList(SessionFilter, kw_only=True):
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class Stats(Struct, kw_only=True):
    total: int
    started: int
    active: int
    idle: int
    waiting_for_tool_results: int


class FacetCount(Struct):
    value: str
    count: int


class Facets(Struct, kw_only=True):
    total: int
    active_now: int
    failed_today: int
    p95_duration_ms: int
    tokens_today: int
    by_activity: list[FacetCount]
    by_source: list[FacetCount]
    by_agent: list[FacetCount]


class ResolvedModel(Struct):
    model_id: str
