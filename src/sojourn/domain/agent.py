"""Agents: versioned definitions. A version never changes; an update makes the next one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sojourn.domain.events import Json, RunnerKind
from sojourn.domain.ids import AgentId
from sojourn.domain.policy import NO_POLICY, Policy

# The runners that have to start something before a turn can run: their turns pass through `starting`.
SPAWNING: frozenset[RunnerKind] = frozenset({"acp", "http"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """What a client says of an agent. `model` None is the server's default model, looked up when a turn runs."""

    name: str
    instructions: str = ""
    runner: RunnerKind = "model"
    model: str | None = None
    tools: tuple[str, ...] = ()
    runner_config: Mapping[str, Json] = field(default_factory=dict[str, Json])
    policy: Policy = NO_POLICY
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    id: AgentId
    version: int
    spec: AgentSpec
    created_at: datetime
    updated_at: datetime
