"""What Everruns' clients say of an agent and the core has no word for, as a version of the agent keeps it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from sojourn.domain.agent import MOST_MODEL_CALLS, AgentSpec
from sojourn.domain.kinds import Json

DIALECT: Final = "everruns"


class AgentFacet(msgspec.Struct, omit_defaults=True, frozen=True):
    display_name: str | None = None
    tags: list[str] = []
    capabilities: list[dict[str, Any]] = []
    tools: list[dict[str, Any]] = []
    initial_files: list[dict[str, Any]] = []
    mcp_servers: dict[str, Any] = {}
    network_access: dict[str, Any] | None = None
    max_iterations: int | None = None
    parallel_tool_calls: bool | None = None


def read(spec: AgentSpec) -> AgentFacet:
    """That of an agent that was made elsewhere says nothing."""
    return msgspec.convert(spec.facets.get(DIALECT, {}), AgentFacet)


def model_calls(max_iterations: int | None) -> int | None:
    """What is said of a turn's iterations, in our bounds; 0 says nothing."""
    return min(max_iterations, MOST_MODEL_CALLS) if max_iterations else None


def max_iterations(said: int | None, acts: int | None) -> int | UnsetType:
    """As it was said, where that is what acts still; nothing may be 0."""
    shown = said if model_calls(said) == acts else acts
    return UNSET if shown is None else shown


def written(spec: AgentSpec, facet: AgentFacet) -> AgentSpec:
    said: Mapping[str, Json] = msgspec.to_builtins(facet)
    others = {name: value for name, value in spec.facets.items() if name != DIALECT}
    return replace(spec, facets={**others, DIALECT: dict(said)} if said else others)
