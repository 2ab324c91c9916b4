"""Agents: versioned definitions. A version never changes; an update makes the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from sojourn.domain.capability import Capability
from sojourn.domain.ids import AgentId
from sojourn.domain.kin import ANY_SESSIONS, SubSessions
from sojourn.domain.kinds import Json, RunnerKind
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.pools import pool_of
from sojourn.domain.tool_policy import OnExpire, ToolPolicy, ToolRule

# In one turn: of an agent that says nothing of it, and at the most that one may say.
DEFAULT_MODEL_CALLS: Final = 100
MOST_MODEL_CALLS: Final = 1_000

# The runners that have to start something before a turn can run: their turns pass through `starting`.
SPAWNING: frozenset[RunnerKind] = frozenset({"acp", "http"})

# The runners whose programs call their models and start their tools by themselves, and tell of it afterwards.
SELF_DRIVEN: frozenset[RunnerKind] = frozenset({"acp"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTool:
    """A tool that the model may call and a client carries out. `parameters` is a JSON Schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What becomes of a conversation that is too long for its model: it is summarised, or the turn fails.

    With `at_tokens` it is summarised before that, once a model call has read and written so many tokens.
    """

    when_full: Literal["compact", "fail"] = "compact"
    at_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """What a client says of an agent. `model` None is the server's default model, looked up when a turn runs.

    `tools` is the short form of capabilities that need no configuration; `capabilities` have names of the agent's own.
    `tool_policy` holds rules by the names of tools, and under `*` that of the others; what no rule is about is allowed.
    `max_model_calls` bounds those of one turn of the runner `model`; None is DEFAULT_MODEL_CALLS.
    `facets` holds what a dialect's clients say of it and the core has no word for, by dialect.
    """

    name: str
    instructions: str = ""
    runner: RunnerKind = "model"
    model: str | None = None
    tools: tuple[str, ...] = ()
    capabilities: Mapping[str, Capability] = field(default_factory=dict[str, Capability])
    client_tools: tuple[ClientTool, ...] = ()
    runner_config: Mapping[str, Json] = field(default_factory=dict[str, Json])
    policy: Policy = NO_POLICY
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])
    description: str | None = None
    facets: Mapping[str, Json] = field(default_factory=dict[str, Json])
    tool_policy: ToolPolicy = field(default_factory=dict[str, ToolRule])
    # None waits for ever.
    ask_timeout_seconds: float | None = None
    on_ask_expire: OnExpire = "deny"
    compaction: Compaction = Compaction()
    sub_sessions: SubSessions = ANY_SESSIONS
    max_model_calls: int | None = None

    @property
    def pool(self) -> str | None:
        """The pool whose workers claim the agent's turns; None of a runner that has no pools."""
        return pool_of(self.runner_config) if self.runner == "external" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """`archived_at` is when it was taken out of use: it is in no list by default and no new session can have it."""

    id: AgentId
    version: int
    spec: AgentSpec
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AgentPosition:
    """A place in the order (created_at, id): the last agent of the page before."""

    created_at: datetime
    id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentQuery:
    """`archived` None is both. `search` is found in the name or the description, in ASCII letters of either case.

    Pages follow `after`, or for dialects that number them `offset`.
    """

    search: str | None = None
    archived: bool | None = None
    after: AgentPosition | None = None
    order: Literal["asc", "desc"] = "asc"
    offset: int = 0
    limit: int = 20
