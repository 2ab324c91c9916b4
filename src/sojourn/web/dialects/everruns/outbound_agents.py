"""Agents, and what they are made of, in Everruns' format. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sojourn.domain.agent import Agent, AgentSpec
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.record import SessionTotals
from sojourn.web.dialects.everruns import agent_facet, harnesses, ids, links, models, wire
from sojourn.web.dialects.everruns.agent_facet import AgentFacet
from sojourn.web.dialects.everruns.capabilities import CONFIG_SCHEMA, Capabilities, Capability
from sojourn.web.dialects.everruns.links import Base
from sojourn.web.dialects.everruns.models import Known
from sojourn.web.dialects.everruns.outbound import stamp

Vendor = Literal["openai", "anthropic", "google", "xai", "llmsim"]
# Those of the client's closed list that providers here are called by.
_VENDORS: Final[dict[str, Vendor]] = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google": "google",
    "google-gla": "google",
    "google-vertex": "google",
    "grok": "xai",
    models.SIMULATED: "llmsim",
}


def agent(agent: Agent, base: Base, known: Capabilities) -> wire.Agent:
    spec = agent.spec
    said = agent_facet.read(spec)
    shown = known.of_tools(spec.tools, said.capabilities)
    id = ids.text("agent", agent.id)
    return wire.Agent(
        **links.of_agent(base, id),
        id=id,
        name=spec.name,
        system_prompt=spec.instructions,
        harness_id=ids.text("harness", harnesses.harness_of(spec.runner)),
        status="active" if agent.archived_at is None else "archived",
        tags=said.tags,
        capabilities=[msgspec.convert(each, wire.CapabilityConfig) for each in shown],
        tools=_tools(spec, said),
        initial_files=said.initial_files,
        mcpServers=said.mcp_servers,
        created_at=stamp(agent.created_at),
        updated_at=stamp(agent.updated_at),
        archived_at=UNSET if agent.archived_at is None else stamp(agent.archived_at),
        display_name=_given(said.display_name),
        description=_given(spec.description),
        default_model_id=UNSET if spec.model is None else models.id_of(spec.model),
        network_access=UNSET if said.network_access is None else said.network_access,
        max_iterations=agent_facet.max_iterations(said.max_iterations, spec.max_model_calls),
        parallel_tool_calls=UNSET if said.parallel_tool_calls is None else said.parallel_tool_calls,
    )


def _tools(spec: AgentSpec, said: AgentFacet) -> list[dict[str, Any]]:
    """Each as a client said it, unless it was said in fewer words elsewhere."""
    by_name = {tool["name"]: tool for tool in said.tools}
    shown: list[dict[str, Any]] = []
    for tool in spec.client_tools:
        core = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        own = by_name.get(tool.name, {})
        is_same = all(own.get(name) == value for name, value in core.items())
        shown.append(own if is_same else {"type": "client_side", **core})
    return shown


def _given(text: str | None) -> str | UnsetType:
    return UNSET if text is None else text


def agents(
    found: Sequence[Agent], total: int, query: wire.AgentList, base: Base, known: Capabilities
) -> wire.Page[wire.Agent]:
    around = links.neighbours(base, "agents", msgspec.structs.asdict(query), total)
    data = [agent(each, base, known) for each in found]
    return wire.Page(data=data, total=total, offset=query.offset, limit=query.limit, **around)


def stats(totals: SessionTotals, counts: Mapping[str, int]) -> wire.ResourceStats:
    """`counts` by status."""
    used, millis = totals.usage, round(totals.duration_seconds * 1_000)
    return wire.ResourceStats(
        session_count=totals.sessions,
        started_session_count=counts.get("started", 0),
        active_session_count=counts.get("active", 0),
        idle_session_count=counts.get("idle", 0),
        waiting_for_tool_results_session_count=counts.get("waitingfortoolresults", 0),
        execution_count=totals.turns,
        total_input_tokens=used.input_tokens,
        total_output_tokens=used.output_tokens,
        total_cache_read_tokens=used.cache_read_tokens,
        total_cache_creation_tokens=used.cache_write_tokens,
        total_session_duration_ms=millis,
        avg_session_duration_ms=millis // totals.sessions if totals.sessions else UNSET,
        first_session_at=_at(totals.first_at),
        last_session_at=_at(totals.last_at),
        last_execution_at=_at(totals.active_at) if totals.turns else UNSET,
        total_cost_usd=UNSET if used.cost_usd is None else float(used.cost_usd),
    )


def _at(instant: datetime | None) -> str | UnsetType:
    return UNSET if instant is None else stamp(instant)


def capability(found: Capability, base: Base) -> wire.Capability:
    vendor = found.vendor
    return wire.Capability(
        **links.of_built_in(base, "capabilities", vendor.id),
        id=vendor.id,
        name=vendor.name,
        description=found.description,
        category=vendor.category,
        config_schema=dict(CONFIG_SCHEMA),
        features=list(vendor.features),
    )


def harness(runner: RunnerKind, since: datetime, base: Base) -> wire.Harness:
    """`since` is when the organisation began; harnesses are built in."""
    found = harnesses.HARNESSES[runner]
    id = ids.text("harness", found.id)
    return wire.Harness(
        **links.of_built_in(base, "harnesses", id),
        id=id,
        name=found.name,
        display_name=found.title,
        description=found.description,
        created_at=stamp(since),
        updated_at=stamp(since),
    )


def model(known: Known, since: datetime, base: Base) -> wire.Model:
    """A stored one is called as the organisation calls it, and `model_id` is what that stands for."""
    name, stored = known.name, known.stored
    provider = models.provider_of(name) if stored is None else stored.provider
    is_simulated = provider == models.SIMULATED
    id = models.id_of(name)
    changed_at = stamp(since if stored is None else stored.updated_at)
    return wire.Model(
        **links.of_built_in(base, "models", id),
        id=id,
        model_id=name if stored is None else f"{provider}/{stored.model}",
        display_name=f"{name} (simulated)" if is_simulated else name,
        provider_id=models.provider_id(provider),
        provider_name=provider,
        provider_type="llmsim" if is_simulated else provider,
        created_at=changed_at,
        updated_at=changed_at,
        model_vendor=_VENDORS.get(provider, UNSET),
        source="predefined" if stored is None else "manual",
    )
