"""Our values in the native API's format. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from sojourn.domain.agent import Agent, ClientTool
from sojourn.domain.ask import Ask
from sojourn.domain.capability import Capability
from sojourn.domain.content import Usage
from sojourn.domain.file import File
from sojourn.domain.ids import SessionId
from sojourn.domain.input import Input, Priority
from sojourn.domain.kin import Kin, SubSessions
from sojourn.domain.log import StoredEvent
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Policy
from sojourn.domain.record import Lease, SessionRecord
from sojourn.domain.session import Session, expiry
from sojourn.domain.tool_policy import DetailedRule, ToolPolicy
from sojourn.domain.turn import Turn
from sojourn.service.trees import Tree
from sojourn.web.native import agent_wire, ask_wire, event_wire, file_wire, session_wire, turn_wire, wire


def policy(policy: Policy) -> wire.Policy:
    return wire.Policy(
        policy.idle_timeout_seconds,
        policy.max_lifetime_seconds,
        policy.max_turn_seconds,
        policy.max_start_seconds,
        policy.max_queued_seconds,
        policy.reopen,
        policy.retain_log_seconds,
        policy.retain_seconds,
    )


def client_tools(tools: Sequence[ClientTool]) -> list[agent_wire.ClientTool]:
    return [agent_wire.ClientTool(tool.name, tool.description, dict(tool.parameters)) for tool in tools]


def _capability(capability: Capability) -> agent_wire.Capability:
    return agent_wire.Capability(capability.kind, dict(capability.config))


def tool_policy(policy: ToolPolicy) -> agent_wire.ToolPolicy:
    return {name: rule if isinstance(rule, str) else _timed(rule) for name, rule in policy.items()}


def _timed(rule: DetailedRule) -> agent_wire.DetailedRule:
    return agent_wire.DetailedRule(rule.rule, rule.timeout_seconds, rule.on_expire, rule.on_lost)


def overlay(overlay: Overlay | None) -> agent_wire.Overlay | None:
    if overlay is None:
        return None
    return agent_wire.Overlay(
        overlay.instructions,
        overlay.model,
        list(overlay.tools),
        client_tools(overlay.client_tools),
        tool_policy(overlay.tool_policy),
        overlay.ask_timeout_seconds,
        overlay.on_ask_expire,
        {ref: None if one is None else _capability(one) for ref, one in overlay.capabilities.items()},
        overlay.max_model_calls,
    )


def usage(usage: Usage) -> session_wire.Usage:
    cost = usage.cost_usd
    return session_wire.Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_tokens,
        usage.cache_write_tokens,
        None if cost is None else f"{cost:f}",
    )


def agent(agent: Agent) -> agent_wire.Agent:
    spec = agent.spec
    return agent_wire.Agent(
        id=agent.id,
        version=agent.version,
        name=spec.name,
        description=spec.description,
        instructions=spec.instructions,
        runner=spec.runner,
        model=spec.model,
        tools=list(spec.tools),
        capabilities={ref: _capability(one) for ref, one in spec.capabilities.items()},
        client_tools=client_tools(spec.client_tools),
        tool_policy=tool_policy(spec.tool_policy),
        ask_timeout_seconds=spec.ask_timeout_seconds,
        on_ask_expire=spec.on_ask_expire,
        compaction=agent_wire.Compaction(spec.compaction.when_full, spec.compaction.at_tokens),
        sub_sessions=sub_sessions(spec.sub_sessions),
        max_model_calls=spec.max_model_calls,
        runner_config=dict(spec.runner_config),
        policy=policy(spec.policy),
        metadata=dict(spec.metadata),
        created_at=agent.created_at,
        updated_at=agent.updated_at,
        archived_at=agent.archived_at,
    )


def sub_sessions(limits: SubSessions) -> agent_wire.SubSessions:
    return agent_wire.SubSessions(limits.agents, limits.max_depth, limits.max_children)


def session(record: SessionRecord, waits_for_pool: str | None = None) -> session_wire.Session:
    row = record.session
    due = expiry(row)
    return session_wire.Session(
        id=row.id,
        agent=session_wire.AgentVersion(row.agent, row.agent_version),
        status=row.status.value,
        activity=row.activity.value,
        title=record.title,
        metadata=dict(record.metadata),
        tags=list(record.tags),
        external_id=record.external_id,
        alias=record.alias,
        origin=record.origin,
        policy=policy(row.policy),
        overlay=overlay(record.overlay),
        usage=usage(record.usage),
        revision=row.revision,
        first_seq=record.first_seq,
        last_seq=row.next_seq - 1,
        open_turn=row.open_turn,
        turns=row.turns,
        queued_inputs=row.queued_inputs,
        presences=row.presences,
        created_at=row.created_at,
        updated_at=row.updated_at,
        active_at=row.active_at,
        expires_at=None if due is None else due.at,
        expires_by=None if due is None else due.by,
        ended_at=row.ended_at,
        end_reason=row.end_reason,
        archived_at=row.archived_at,
        forked_from=record.forked_from,
        forked_seq=record.forked_seq,
        waits_for_pool=waits_for_pool,
        parent=_parent(row.kin),
        root=_root(row),
        children=row.kin.children,
    )


def _root(session: Session) -> SessionId:
    return session.kin.ancestors[0] if session.kin.ancestors else session.id


def _parent(kin: Kin) -> session_wire.Parent | None:
    if kin.parent is None or kin.turn is None or kin.ask is None:
        return None
    return session_wire.Parent(kin.parent, kin.turn, kin.ask)


def session_tree(tree: Tree) -> session_wire.SessionTree:
    top = tree.nodes[0].session
    nodes = [_node(record, record.session.kin.depth - top.kin.depth) for record in tree.nodes]
    return session_wire.SessionTree(
        root=_root(top), nodes=nodes, usage=usage(tree.usage), whole=tree.is_whole
    )


def _node(record: SessionRecord, depth: int) -> session_wire.TreeNode:
    row = record.session
    return session_wire.TreeNode(
        id=row.id,
        parent=row.kin.parent,
        depth=depth,
        agent=session_wire.AgentVersion(row.agent, row.agent_version),
        title=record.title,
        status=row.status.value,
        activity=row.activity.value,
        usage=usage(record.usage),
        turns=row.turns,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def created_session(record: SessionRecord, created: bool) -> session_wire.CreatedSession:
    return session_wire.CreatedSession(**msgspec.structs.asdict(session(record)), created=created)


def file(file: File) -> file_wire.File:
    return file_wire.File(
        path=file.path,
        is_directory=file.is_directory,
        sha256=file.sha256,
        size=file.size,
        readonly=file.readonly,
        seq=file.seq,
        created_at=file.created_at,
        updated_at=file.updated_at,
    )


def presence(lease: Lease, acquired: bool) -> session_wire.Presence:
    return session_wire.Presence(lease.holder, lease.ttl_seconds, lease.last_seen_at, acquired)


def held_presence(lease: Lease, now: datetime) -> session_wire.HeldPresence:
    return session_wire.HeldPresence(lease.holder, lease.ttl_seconds, lease.last_seen_at, lease.is_stale(now))


_PRIORITIES: Final[Mapping[Priority, turn_wire.Priority]] = {
    Priority.INTERRUPT: "interrupt",
    Priority.HUMAN: "human",
    Priority.AGENT: "agent",
    Priority.SCHEDULE: "schedule",
}


def input(session: SessionId, input: Input) -> turn_wire.Input:
    return turn_wire.Input(
        id=input.id,
        session=session,
        turn=input.turn,
        kind=input.kind,
        delivery=input.delivery,
        content=[wire.TextPart(part.text) for part in input.content],
        status=input.status,
        priority=_PRIORITIES[input.priority],
        revision=input.revision,
        received_at=input.received_at,
        expires_at=input.expires_at,
        model=input.model,
    )


def turn(session: SessionId, turn: Turn) -> turn_wire.Turn:
    return turn_wire.Turn(
        id=turn.id,
        session=session,
        input=turn.input,
        status=turn.status.value,
        attempt=turn.attempt,
        faults=turn.faults,
        reason=turn.reason,
        error=turn.error,
        worker=turn.worker,
        agent_version=turn.agent_version,
        not_before=turn.not_before,
        created_at=turn.created_at,
        started_at=turn.started_at,
        ended_at=turn.ended_at,
        model=turn.model,
    )


def ask(session: SessionId, ask: Ask) -> ask_wire.Ask:
    return ask_wire.Ask(
        id=ask.id,
        session=session,
        turn=ask.turn,
        kind=ask.kind,
        prompt=dict(ask.prompt),
        status=ask.status,
        on_expire="keep" if ask.expires_at is None else ask.on_expire,
        created_at=ask.created_at,
        expires_at=ask.expires_at,
    )


def event(event: StoredEvent) -> event_wire.Event:
    return event_wire.Event(
        event.seq, event.id, event.type, event.v, event.at, event.turn, msgspec.Raw(event.data)
    )
