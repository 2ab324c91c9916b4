"""The native API's format in our values. Pure; InvalidRequest names the field that is wrong."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from sojourn.domain.agent import AgentQuery, AgentSpec, ClientTool, Compaction
from sojourn.domain.capability import Capability
from sojourn.domain.content import TextPart
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.export import Header
from sojourn.domain.file import NewFile
from sojourn.domain.filter import All, Compare, Filter, HasTag, MetadataIs, OneOf, Operator
from sojourn.domain.ids import AgentId, SessionId
from sojourn.domain.kin import SubSessions
from sojourn.domain.kinds import Json
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Policy
from sojourn.domain.tool_policy import DetailedRule, ToolPolicy
from sojourn.domain.verifier import BrokenExport
from sojourn.service import results
from sojourn.service.asks import Verdict
from sojourn.service.forks import NewFork
from sojourn.service.imports import NewImport
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.values import check_free_form
from sojourn.web.native import agent_wire, ask_wire, queries, session_wire, wire

MAX_KEYS: Final = 64
UUID_LENGTH: Final = 36
MAX_OBJECT_BYTES: Final = 64 * 1024
MAX_ANSWER_BYTES: Final = 1024 * 1024


def free_form(field: str, value: Mapping[str, Any]) -> Mapping[str, Json]:
    check_free_form(field, value, MAX_KEYS, MAX_OBJECT_BYTES)
    return value


def payload(value: Mapping[str, Any]) -> str:
    """As JSON text."""
    return msgspec.json.encode(free_form("payload", value)).decode()


def policy(policy: wire.Policy) -> Policy:
    return Policy(
        idle_timeout_seconds=policy.idle_timeout_seconds,
        max_lifetime_seconds=policy.max_lifetime_seconds,
        max_turn_seconds=policy.max_turn_seconds,
        max_start_seconds=policy.max_start_seconds,
        max_queued_seconds=policy.max_queued_seconds,
        reopen=policy.reopen,
        retain_log_seconds=policy.retain_log_seconds,
        retain_seconds=policy.retain_seconds,
    )


def extension(wanted: session_wire.SessionExtension) -> datetime | timedelta:
    if (wanted.seconds is UNSET) == (wanted.expires_at is UNSET):
        raise InvalidRequest("seconds", "is wanted, or expires_at, and not both")
    if wanted.seconds is not UNSET:
        return timedelta(seconds=wanted.seconds)
    assert wanted.expires_at is not UNSET
    try:
        return wanted.expires_at.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest("expires_at", "is outside of the calendar") from None


def content(content: str | list[wire.TextPart]) -> tuple[TextPart, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(TextPart(part.text) for part in content)


def client_tools(tools: list[agent_wire.ClientTool]) -> tuple[ClientTool, ...]:
    return tuple(
        ClientTool(
            name=tool.name,
            description=tool.description,
            parameters=tool.parameters or {"type": "object", "properties": {}},
        )
        for tool in tools
    )


def capabilities(field: str, given: Mapping[str, agent_wire.Capability]) -> Mapping[str, Capability]:
    return {ref: _capability(f"{field}.{ref}.config", one) for ref, one in given.items()}


def _capability(field: str, given: agent_wire.Capability) -> Capability:
    return Capability(kind=given.kind, config=free_form(field, given.config))


def tool_policy(policy: agent_wire.ToolPolicy) -> ToolPolicy:
    return {name: rule if isinstance(rule, str) else _timed(rule) for name, rule in policy.items()}


def _timed(rule: agent_wire.DetailedRule) -> DetailedRule:
    return DetailedRule(
        rule=rule.rule,
        timeout_seconds=rule.timeout_seconds,
        on_expire=rule.on_expire,
        on_lost=rule.on_lost,
    )


def overlay(overlay: agent_wire.Overlay | None) -> Overlay | None:
    if overlay is None:
        return None
    return Overlay(
        instructions=overlay.instructions,
        model=overlay.model,
        tools=tuple(overlay.tools),
        capabilities={
            ref: None if one is None else _capability(f"overlay.capabilities.{ref}.config", one)
            for ref, one in overlay.capabilities.items()
        },
        client_tools=client_tools(overlay.client_tools),
        tool_policy=tool_policy(overlay.tool_policy),
        ask_timeout_seconds=overlay.ask_timeout_seconds,
        on_ask_expire=overlay.on_ask_expire,
        max_model_calls=overlay.max_model_calls,
    )


def verdict(decision: ask_wire.AskDecision, field: str = "") -> Verdict:
    """`field` is the place of the decision in the body."""
    check_free_form(f"{field}answer", {"answer": decision.answer}, 1, MAX_ANSWER_BYTES)
    if decision.error is UNSET:
        return Verdict(decision.decision, decision.answer, decision.always)
    if decision.decision != "answer" or decision.answer is not None:
        raise InvalidRequest(f"{field}error", "goes with the decision answer, and without an answer")
    return Verdict("answer", {"error": decision.error}, decision.always)


def verdicts(decisions: list[ask_wire.CallDecision]) -> Mapping[str, Verdict]:
    found: dict[str, Verdict] = {}
    for index, decision in enumerate(decisions):
        if decision.tool_call_id in found:
            raise InvalidRequest(f"decisions.{index}.tool_call_id", "is decided twice")
        found[decision.tool_call_id] = verdict(decision, f"decisions.{index}.")
    return found


def agent_spec(new: agent_wire.NewAgent) -> AgentSpec:
    return AgentSpec(
        name=new.name,
        description=new.description,
        instructions=new.instructions,
        runner=new.runner,
        model=new.model,
        tools=tuple(new.tools),
        capabilities=capabilities("capabilities", new.capabilities),
        client_tools=client_tools(new.client_tools),
        tool_policy=tool_policy(new.tool_policy),
        ask_timeout_seconds=new.ask_timeout_seconds,
        on_ask_expire=new.on_ask_expire,
        compaction=compaction(new.compaction),
        sub_sessions=sub_sessions(new.sub_sessions),
        max_model_calls=new.max_model_calls,
        runner_config=free_form("runner_config", new.runner_config),
        policy=policy(new.policy),
        metadata=free_form("metadata", new.metadata),
    )


def compaction(given: agent_wire.Compaction) -> Compaction:
    return Compaction(when_full=given.when_full, at_tokens=given.at_tokens)


def sub_sessions(given: agent_wire.SubSessions) -> SubSessions:
    agents = None if given.agents is None else tuple(given.agents)
    return SubSessions(agents=agents, max_depth=given.max_depth, max_children=given.max_children)


def agent_query(query: queries.AgentList) -> AgentQuery:
    return AgentQuery(
        search=None if query.search is UNSET else query.search,
        archived=None if query.archived == "any" else query.archived == "true",
        order=query.order,
        limit=query.limit + 1,
    )


def session_filter(query: queries.SessionList, of_agent: tuple[Filter, ...]) -> Filter:
    """What the query selects; `of_agent` is what its `agent` stands for."""
    parts = list(of_agent)
    if query.archived != "any":
        parts.append(Compare("archived_at", "not_null" if query.archived == "true" else "is_null"))
    if query.status:
        parts.append(OneOf("status", tuple(query.status)))
    if query.activity:
        parts.append(OneOf("activity", tuple(query.activity)))
    parts.extend(HasTag(tag) for tag in query.tag)
    parts.extend(MetadataIs(key, value) for key, value in query.metadata.items())
    if query.external_id is not UNSET:
        parts.append(Compare("external_id", "eq", query.external_id))
    if query.forked_from is not UNSET:
        parts.append(Compare("forked_from", "eq", SessionId(query.forked_from)))
    if query.parent is not UNSET:
        parts.append(Compare("parent", "eq", SessionId(query.parent)))
    if query.alias is not UNSET:
        parts.append(Compare("alias", "eq", query.alias))
    parts.extend(_created("created_after", "gt", query.created_after))
    parts.extend(_created("created_before", "lt", query.created_before))
    return All(tuple(parts))


def _created(field: str, op: Operator, at: datetime | UnsetType) -> list[Filter]:
    if at is UNSET:
        return []
    try:
        return [Compare("created_at", op, at.astimezone(UTC))]
    except OverflowError:
        raise BadRequest("is outside of the calendar", field) from None


def agent_reference(text: str) -> AgentId | str:
    """An agent's id or its name. A name that looks like an id is never found by it."""
    if len(text) != UUID_LENGTH:
        return text
    try:
        return AgentId(UUID(text))
    except ValueError:
        return text


def new_session(new: session_wire.NewSession) -> NewSession:
    return NewSession(
        id=None if new.id is None else SessionId(new.id),
        agent=None if new.agent is None else agent_reference(new.agent),
        title=new.title,
        metadata=free_form("metadata", new.metadata),
        tags=tuple(dict.fromkeys(new.tags)),
        external_id=new.external_id,
        policy=policy(new.policy),
        files=tuple(new_file(index, file) for index, file in enumerate(new.files)),
        overlay=overlay(new.overlay),
    )


def new_file(index: int, new: session_wire.NewFile) -> NewFile:
    if new.encoding == "text":
        return NewFile(new.path, new.content.encode(), new.readonly)
    try:
        return NewFile(new.path, b64decode(new.content, validate=True), new.readonly)
    except ValueError:
        raise InvalidRequest(f"files.{index}.content", "must be base64") from None


def new_fork(new: session_wire.NewFork) -> NewFork:
    return NewFork(
        at=None if new.at is UNSET else new.at,
        title=results.UNSET if new.title is UNSET else new.title,
        metadata=results.UNSET if new.metadata is UNSET else free_form("metadata", new.metadata),
        tags=results.UNSET if new.tags is UNSET else tuple(dict.fromkeys(new.tags)),
        agent=None if new.agent is UNSET else agent_reference(new.agent),
        external_id=None if new.external_id is UNSET else new.external_id,
    )


def new_import(header: Header, query: queries.Import) -> NewImport:
    """What is wrong with a header is wrong with its line."""
    said = dict(header.session)
    for name, struct in (("policy", wire.Policy), ("overlay", agent_wire.Overlay)):
        value = said.get(name)
        if isinstance(value, dict):
            # A later release may have more of them.
            said[name] = {field: value[field] for field in struct.__struct_fields__ if field in value}
    try:
        taken = msgspec.convert(said, session_wire.ImportedSession)
        return NewImport(
            title=taken.title,
            metadata=free_form("metadata", taken.metadata),
            tags=tuple(dict.fromkeys(taken.tags)),
            policy=policy(taken.policy),
            overlay=overlay(taken.overlay),
            agent=None if query.agent is UNSET else agent_reference(query.agent),
            external_id=None if query.external_id is UNSET else query.external_id,
            as_new=query.id == "new",
        )
    except msgspec.ValidationError as error:
        raise BrokenExport(1, f"has a session that cannot be made: {error}") from None


def session_change(change: session_wire.SessionChange) -> SessionChange:
    return SessionChange(
        title=results.UNSET if change.title is UNSET else change.title,
        metadata=results.UNSET if change.metadata is UNSET else free_form("metadata", change.metadata),
        tags=results.UNSET if change.tags is UNSET else tuple(dict.fromkeys(change.tags)),
        policy=results.UNSET if change.policy is UNSET else policy(change.policy),
        overlay=results.UNSET if change.overlay is UNSET else overlay(change.overlay),
    )


def changed_spec(spec: AgentSpec, change: agent_wire.AgentChange) -> AgentSpec:
    """The next version's spec: what the change leaves out stays."""
    if change.runner_config is not UNSET:
        spec = replace(spec, runner_config=free_form("runner_config", change.runner_config))
    spec = _with_rules(spec, change)
    if change.capabilities is not UNSET:
        spec = replace(spec, capabilities=capabilities("capabilities", change.capabilities))
    if change.metadata is not UNSET:
        spec = replace(spec, metadata=free_form("metadata", change.metadata))
    return replace(
        spec,
        name=spec.name if change.name is UNSET else change.name,
        description=spec.description if change.description is UNSET else change.description,
        instructions=spec.instructions if change.instructions is UNSET else change.instructions,
        runner=spec.runner if change.runner is UNSET else change.runner,
        model=spec.model if change.model is UNSET else change.model,
        tools=spec.tools if change.tools is UNSET else tuple(change.tools),
        client_tools=spec.client_tools if change.client_tools is UNSET else client_tools(change.client_tools),
        policy=spec.policy if change.policy is UNSET else policy(change.policy),
    )


def _with_rules(spec: AgentSpec, change: agent_wire.AgentChange) -> AgentSpec:
    timeout, calls = change.ask_timeout_seconds, change.max_model_calls
    return replace(
        spec,
        tool_policy=spec.tool_policy if change.tool_policy is UNSET else tool_policy(change.tool_policy),
        ask_timeout_seconds=spec.ask_timeout_seconds if timeout is UNSET else timeout,
        on_ask_expire=spec.on_ask_expire if change.on_ask_expire is UNSET else change.on_ask_expire,
        compaction=spec.compaction if change.compaction is UNSET else compaction(change.compaction),
        sub_sessions=spec.sub_sessions if change.sub_sessions is UNSET else sub_sessions(change.sub_sessions),
        max_model_calls=spec.max_model_calls if calls is UNSET else calls,
    )
