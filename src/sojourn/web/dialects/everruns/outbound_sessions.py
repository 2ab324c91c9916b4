"""Sessions in Everruns' format. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.content import Usage
from sojourn.domain.ids import KeyId, SessionId
from sojourn.domain.overlay import NOTHING_ADDED, Overlay
from sojourn.domain.record import SessionRecord
from sojourn.domain.turn import TurnSpan
from sojourn.web.dialects.everruns import (
    agent_facet,
    ids,
    models,
    session_facet,
    status,
    wire,
)
from sojourn.web.dialects.everruns.capabilities import Capabilities
from sojourn.web.dialects.everruns.harnesses import harness_of
from sojourn.web.dialects.everruns.links import Base, actions, neighbours
from sojourn.web.dialects.everruns.log import cursors, payloads
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.session_facet import SessionFacet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Dress:
    """What a session shows of its agent, as it has it."""

    features: list[str]
    model_id: str | UnsetType


def dress(agent: AgentSpec, overlay: Overlay | None, known: Capabilities) -> Dress:
    own = agent if overlay is None else overlay.over(agent)
    refs = known.of_tools(own.tools, agent_facet.read(agent).capabilities)
    return Dress(
        features=known.features(each["ref"] for each in refs),
        model_id=UNSET if own.model is None else models.id_of(own.model),
    )


@dataclass(frozen=True, slots=True)
class Around:
    """What of a session's surroundings is shown with it. `preview` and `output_preview` are whole texts."""

    dress: Dress
    span: TurnSpan | None = None
    preview: str | None = None
    output_preview: str | None = None


def session(
    record: SessionRecord, around: Around, reader: KeyId, base: Base, known: Capabilities
) -> wire.Session:
    row, said = record.session, session_facet.of_text(record.facet)
    id = ids.text("session", row.id)
    span, overlay = around.span, record.overlay or NOTHING_ADDED
    shown, url = status.shown(row, span), f"{base.url}/sessions/{id}"
    page = f"{base.origin}/sessions/{row.id}"
    given = [dict(each) for each in known.of_tools(overlay.tools, said.capabilities)]
    return wire.Session(
        id=id,
        organization_id=ids.text("org", row.org),
        # A session's default workspace has the session's own digits.
        workspace_id=said.workspace_id or ids.text("wsp", row.id),
        harness_id=said.harness_id or ids.text("harness", harness_of(row.runner)),
        agent_id=ids.text("agent", row.agent),
        owner_principal_id=f"principal_{said.owner}" if said.owner else ids.text("principal", row.org),
        status=shown,
        activity=status.activity(row, span),
        source=said.source if row.kin.parent is None else "subagent",
        tags=list(record.tags),
        capabilities=given,
        tools=_tools(overlay, said),
        features=around.dress.features,
        is_pinned=reader.hex in said.pins,
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        title=_given(record.title),
        preview=_start(around.preview),
        output_preview=_start(around.output_preview),
        started_at=UNSET if span is None or span.started_at is None else stamp(span.started_at),
        finished_at=UNSET if row.ended_at is None else stamp(row.ended_at),
        usage=_usage(record.usage),
        model_id=around.dress.model_id,
        system_prompt=overlay.instructions or UNSET,
        max_iterations=agent_facet.max_iterations(said.max_iterations, overlay.max_model_calls),
        parent_session_id=_session_id(row.kin.parent),
        forked_from_session_id=_session_id(record.forked_from),
        forked_from_sequence=UNSET if record.forked_seq is None else _last_sequence(record.forked_seq),
        self_url=url,
        view_url=page,
        ui_link=page,
        allowed_actions=actions(base, id, shown),
        **_said(said),
    )


def _tools(overlay: Overlay, said: SessionFacet) -> list[dict[str, Any]]:
    """As a client said it of those it named, then what was given elsewhere."""
    if not overlay.client_tools:
        return []
    tools = {tool.name: tool for tool in overlay.client_tools}
    named = [each for each in said.tools if each["name"] in tools]
    others = tools.keys() - {each["name"] for each in named}
    return [*named, *(_tool(tool) for name, tool in tools.items() if name in others)]


def _tool(tool: ClientTool) -> dict[str, Any]:
    return {"type": "client_side"} | msgspec.to_builtins(tool)


def _session_id(id: SessionId | None) -> str | UnsetType:
    return UNSET if id is None else ids.text("session", id)


def _last_sequence(seq: int) -> int:
    """That of the last event that the two logs share."""
    return cursors.sequence(seq, cursors.LAST_PART)


def _said(said: SessionFacet) -> Mapping[str, Any]:
    """What is given back as it came."""
    if said is session_facet.NOTHING:
        return {}
    return {
        "goal": _given(said.goal),
        "locale": _given(said.locale),
        "initial_files": said.initial_files or UNSET,
        "mcpServers": said.mcp_servers or UNSET,
        "hints": said.hints or UNSET,
        "network_access": _given(said.network_access),
        "parallel_tool_calls": _given(said.parallel_tool_calls),
        "agent_identity_id": _given(said.agent_identity_id),
    }


def _given(value: T | None) -> T | UnsetType:
    return UNSET if value is None else value


def _start(text: str | None) -> str | UnsetType:
    return payloads.preview(text) if text else UNSET


def _usage(used: Usage) -> dict[str, Any] | UnsetType:
    return payloads.usage(used) if used.input_tokens or used.output_tokens else UNSET


def page(
    shown: Sequence[wire.Session], total: int, query: wire.SessionList, base: Base
) -> wire.Page[wire.Session]:
    said: dict[str, Any] = msgspec.to_builtins(query)
    wanted = {name: value for name, value in said.items() if value is not None and value is not False}
    if query.mine:
        wanted["mine"] = "true"
    return wire.Page(
        data=list(shown),
        total=total,
        offset=query.offset,
        limit=query.limit,
        **neighbours(base, "sessions", wanted, total),
    )


def stats(counts: Mapping[str, int]) -> wire.Stats:
    """`counts` by status."""
    return wire.Stats(
        total=sum(counts.values()),
        started=counts.get("started", 0),
        active=counts.get("active", 0),
        idle=counts.get("idle", 0),
        waiting_for_tool_results=counts.get("waitingfortoolresults", 0),
    )
