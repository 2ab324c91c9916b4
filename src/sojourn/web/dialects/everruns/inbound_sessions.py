"""What Everruns' clients say of sessions, in our values. Pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final, TypeVar, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import UnsetType

from sojourn.domain.agent import Agent, ClientTool
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.filter import (
    All,
    AnyOf,
    Compare,
    Expression,
    FacetPath,
    Filter,
    FirstOf,
    OneOf,
    SessionQuery,
    Word,
)
from sojourn.domain.ids import AgentId, KeyId
from sojourn.domain.overlay import Overlay
from sojourn.service import results
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.web.dialects.everruns import (
    agent_facet,
    harnesses,
    ids,
    inbound_agents,
    session_facet,
    starter_files,
    status,
    wire,
)
from sojourn.web.dialects.everruns.capabilities import Capabilities
from sojourn.web.dialects.everruns.locale import normalised
from sojourn.web.dialects.everruns.session_facet import DIALECT, SessionFacet
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.values import check_free_form

T = TypeVar("T")

RESERVED_TAG: Final = "__everruns_"
MOST_TERMS: Final = 8
MAX_KEYS: Final = 1_000
SOURCE: Final[Expression] = FirstOf(
    (FacetPath(DIALECT, ("source",)), Word(((Compare("parent", "not_null"), "subagent"),), "api"))
)
_TITLE: Final[Expression] = FirstOf(("title", Word((), "")))


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was looked up of a new session. `model` is our own name of the one that it was given, if any."""

    agent: Agent
    model: str | None
    workspace: str | None


def agent_id(new: wire.NewSession) -> AgentId | None:
    if new.agent_id is not None and new.agent_name is not None:
        raise BadRequest("Cannot specify both agent_id and agent_name")
    return None if new.agent_id is None else AgentId(ids.parse("agent", new.agent_id))


def harness_id(new: wire.NewSession) -> str | None:
    """The harness that is named; NotFound for an unknown one."""
    if new.harness_id is not None and new.harness_name is not None:
        raise BadRequest("Cannot specify both harness_id and harness_name")
    if new.harness_id is not None:
        runner = harnesses.runner_of_id(ids.parse("harness", new.harness_id))
    elif new.harness_name is not None:
        runner = harnesses.runner_of_name(inbound_agents.name(new.harness_name))
    else:
        return None
    return ids.text("harness", harnesses.harness_of(runner))


def new_session(new: wire.NewSession, found: Resolved, owner: KeyId, known: Capabilities) -> NewSession:
    facet = _facet(new, found, owner, known)
    prompt = new.system_prompt or ""
    if len(prompt.encode()) > inbound_agents.MAX_PROMPT_BYTES:
        raise BadRequest("Input exceeds allowed limits", "system_prompt")
    overlay = Overlay(
        instructions=prompt,
        model=found.model,
        tools=known.tools_of(each["ref"] for each in facet.capabilities),
        client_tools=tuple(client_tool(tool) for tool in facet.tools),
        max_model_calls=agent_facet.model_calls(facet.max_iterations),
    )
    return NewSession(
        agent=found.agent.id,
        title=new.title,
        tags=tags(new.tags or []),
        origin=DIALECT,
        facet=(DIALECT, session_facet.to_text(facet)),
        overlay=overlay,
        files=starter_files.of(found.agent.spec, facet.initial_files),
    )


def _facet(new: wire.NewSession, found: Resolved, owner: KeyId, known: Capabilities) -> SessionFacet:
    servers = new.mcpServers if new.mcpServers is not None else new.mcp_servers
    access = None if new.network_access is None else msgspec.to_builtins(new.network_access)
    return SessionFacet(
        owner=owner.hex,
        goal=new.goal,
        locale=None if new.locale is None else normalised(new.locale),
        harness_id=harness_id(new),
        capabilities=inbound_agents.capability_configs(new.capabilities or [], known),
        tools=inbound_agents.tools(new.tools or []),
        initial_files=inbound_agents.initial_files(new.initial_files or []),
        mcp_servers=mcp_servers(servers or {}),
        hints=_free("hints", new.hints or {}),
        network_access=access,
        max_iterations=new.max_iterations,
        parallel_tool_calls=new.parallel_tool_calls,
        workspace_id=found.workspace,
        source=new.source or "api",
        agent_identity_id=new.agent_identity_id,
    )


def client_tool(said: dict[str, Any]) -> ClientTool:
    return ClientTool(name=said["name"], description=said["description"], parameters=said["parameters"])


def tags(said: list[str]) -> tuple[str, ...]:
    for tag in said:
        if tag.startswith(RESERVED_TAG):
            raise InvalidRequest("tags", f"the prefix {RESERVED_TAG} is reserved")
    return tuple(dict.fromkeys(said))


def mcp_servers(said: dict[str, Any]) -> dict[str, Any]:
    """InvalidRequest for a server that is named by an address which only this machine or its network has."""
    for name, server in _free("mcpServers", said).items():
        match server:
            case {"url": str(url)} if not _is_public(url):
                raise InvalidRequest("mcpServers", f"the URL of {name[:100]} is not a public one")
            case _:
                pass
    return said


_LOCAL: Final = re.compile(r"(.*\.)?(localhost|local|internal)\.?", re.IGNORECASE)


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or _LOCAL.fullmatch(host):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return True


def _free(field: str, value: dict[str, Any]) -> dict[str, Any]:
    check_free_form(field, value, MAX_KEYS, inbound_agents.MAX_PROMPT_BYTES)
    return value


def change(said: wire.SessionChange) -> SessionChange:
    return SessionChange(
        title=results.UNSET if isinstance(said.title, UnsetType) else said.title,
        tags=results.UNSET if said.tags is None else tags(said.tags),
    )


def changed(facet: SessionFacet, said: wire.SessionChange) -> SessionFacet:
    locale = said.locale
    return msgspec.structs.replace(
        facet,
        goal=_now(said.goal, facet.goal),
        locale=_now(normalised(locale) if isinstance(locale, str) else locale, facet.locale),
        agent_identity_id=_now(said.agent_identity_id, facet.agent_identity_id),
    )


def _now(said: T | UnsetType, before: T) -> T:
    return before if isinstance(said, UnsetType) else said


def query(said: wire.SessionList, reader: KeyId) -> SessionQuery:
    return SessionQuery(
        where=where(said, reader),
        sort=(("active_at", "desc"),) if said.order == "last_activity" else (),
        offset=said.offset,
        limit=said.limit,
        facet=DIALECT,
    )


def where(said: wire.SessionFilter, reader: KeyId) -> Filter:
    parts: list[Filter] = []
    if said.agent_id is not None:
        parts.append(Compare("agent", "eq", AgentId(ids.parse("agent", said.agent_id))))
    if said.search is not None:
        terms = said.search.split()[:MOST_TERMS]
        parts.extend(Compare(_TITLE, "like", f"%{_literal(term)}%") for term in terms)
    if said.source is not None:
        parts.append(OneOf(SOURCE, _words("source", said.source, SOURCE_WORDS)))
    if said.status is not None:
        parts.append(_activities(said.status))
    if said.mine:
        parts.append(Compare(FacetPath(DIALECT, ("owner",)), "eq", reader.hex))
    if said.created_after is not None:
        parts.append(Compare("created_at", "ge", said.created_after))
    if said.created_before is not None:
        parts.append(Compare("created_at", "lt", said.created_before))
    return All(tuple(parts))


def _activities(said: str) -> Filter:
    return AnyOf(
        tuple(Compare(status.ACTIVITY, "eq", word) for word in _words("status", said, status.ACTIVITIES))
    )


SOURCE_WORDS: Final[tuple[str, ...]] = get_args(wire.Source)


def _words(field: str, said: str, known: Collection[str]) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(word.strip() for word in said.split(",") if word.strip()))
    for word in words:
        if word not in known:
            raise BadRequest(f"unknown value {word[:100]!r}", field)
    return words


def _literal(term: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", term)
