"""What the native API sends and takes of agents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, TypedDict
from uuid import UUID

from sojourn.client.json import Json
from sojourn.client.tool_types import Capability, ClientTool, DetailedRule, OnAskExpire, ToolRule
from sojourn.client.wire import Wire

RunnerKind = Literal["model", "acp", "http", "external"]


class Policy(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Lifecycle limits. A number as `reopen` is how many seconds after its end a session may be opened again."""

    idle_timeout_seconds: float | None = None
    max_lifetime_seconds: float | None = None
    max_turn_seconds: float | None = None
    max_start_seconds: float | None = None
    max_queued_seconds: float | None = None
    reopen: Literal["always", "never"] | float | None = None
    retain_log_seconds: float | None = None
    retain_seconds: float | None = None


class Compaction(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation that is too long for its model is summarised, or fails its turn.

    With `at_tokens` it is summarised once a model call has read and written so many tokens.
    """

    when_full: Literal["compact", "fail"] = "compact"
    at_tokens: int | None = None


class SubSessions(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """Which sessions the agent may start: of `agents`, by name or id (None: of any), how deep, and how many each."""

    agents: tuple[str, ...] | None = None
    max_depth: int = 3
    max_children: int = 100


class Agent(Wire, frozen=True, kw_only=True):
    """`version` counts from 1 and is the agent's ETag. `model` None stands for the server's default model."""

    id: UUID
    version: int
    name: str
    description: str | None = None
    instructions: str
    runner: RunnerKind
    model: str | None
    tools: list[str]
    capabilities: dict[str, Capability]
    client_tools: list[ClientTool]
    tool_policy: dict[str, ToolRule | DetailedRule]
    ask_timeout_seconds: float | None
    on_ask_expire: OnAskExpire
    compaction: Compaction = Compaction()
    sub_sessions: SubSessions = SubSessions()
    max_model_calls: int | None = None
    runner_config: dict[str, Json]
    policy: Policy
    metadata: dict[str, Json]
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


class AgentRef(Wire, frozen=True, kw_only=True):
    id: UUID
    version: int


class AgentFields(TypedDict, total=False):
    name: str
    description: str | None
    instructions: str
    runner: RunnerKind
    model: str | None
    tools: Sequence[str]
    capabilities: Mapping[str, Capability]
    client_tools: Sequence[ClientTool]
    tool_policy: Mapping[str, ToolRule | DetailedRule]
    ask_timeout_seconds: float | None
    on_ask_expire: OnAskExpire
    compaction: Compaction
    sub_sessions: SubSessions
    max_model_calls: int | None
    runner_config: Mapping[str, Json]
    policy: Policy
    metadata: Mapping[str, Json]
