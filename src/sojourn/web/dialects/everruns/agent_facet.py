"""What Everruns' clients say of an agent and the core has no word for, as a version of the agent keeps it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import msgspec

from sojourn.domain.agent import AgentSpec
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


def written(spec: AgentSpec, facet: AgentFacet) -> AgentSpec:
    said: Mapping[str, Json] = msgspec.to_builtins(facet)
    others = {name: value for name, value in spec.facets.items() if name != DIALECT}
    return replace(spec, facets={**others, DIALECT: dict(said)} if said else others)
