"""What Everruns' clients say of agents, in our values. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from sojourn.domain.agent import AgentQuery, AgentSpec, ClientTool
from sojourn.domain.client_tools import check_client_tools
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file import file_path
from sojourn.domain.kinds import RunnerKind
from sojourn.web.dialects.everruns import agent_facet, harnesses, ids, starter_files, wire
from sojourn.web.dialects.everruns.agent_facet import AgentFacet
from sojourn.web.dialects.everruns.capabilities import FILES, Capabilities
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.values import check_free_form, invalid

NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_NAME: Final = 64
MAX_TEXT_BYTES: Final = 2 * 1024
MAX_DESCRIPTION_BYTES: Final = 10 * 1024
MAX_PROMPT_BYTES: Final = 1024 * 1024
MAX_CAPABILITIES: Final = 250
MAX_FILES: Final = 100
MAX_FILES_BYTES: Final = 5 * 1024 * 1024
MAX_KEYS: Final = 1_000


def query(wanted: wire.AgentList) -> AgentQuery:
    return AgentQuery(
        search=wanted.search or None,
        archived=None if wanted.include_archived == "true" else False,
        order="desc",
        offset=wanted.offset,
        limit=wanted.limit,
    )


def name(text: str) -> str:
    if len(text) > LONGEST_NAME or NAME.fullmatch(text) is None:
        raise InvalidRequest(
            "name", f"must be of lower-case letters, digits and hyphens, at most {LONGEST_NAME}"
        )
    return text


def runner(said: wire.AgentFields) -> RunnerKind | None:
    """The runner that the harness stands for, None if none is named. NotFound for an unknown one."""
    if said.harness_id is not None and said.harness_name is not None:
        raise BadRequest("Cannot specify both harness_id and harness_name")
    if said.harness_id is not None:
        return harnesses.runner_of_id(ids.parse("harness", said.harness_id))
    return None if said.harness_name is None else harnesses.runner_of_name(said.harness_name)


def applied(
    new: wire.NewAgent, model: str | None, known: Capabilities, current: AgentSpec | None
) -> AgentSpec:
    """All that a client can say is as it says now; what only the core knows of an agent stays."""
    facet = _facet(new, AgentFacet(), known)
    base = current or AgentSpec(name=new.name)
    spec = replace(
        base,
        name=name(new.name),
        instructions=_bounded(new.system_prompt, MAX_PROMPT_BYTES),
        description=_bounded_or_none(new.description, MAX_DESCRIPTION_BYTES),
        runner=runner(new) or base.runner,
        model=model,
        tools=known.with_tools_of(base.tools, _refs(facet)),
        client_tools=client_tools(facet.tools),
        max_model_calls=agent_facet.model_calls(facet.max_iterations),
    )
    return agent_facet.written(_configured(spec, base), facet)


def _configured(spec: AgentSpec, before: AgentSpec) -> AgentSpec:
    """What configures one runner says nothing to another."""
    return spec if spec.runner == before.runner else replace(spec, runner_config={})


def changed(spec: AgentSpec, change: wire.AgentChange, model: str | None, known: Capabilities) -> AgentSpec:
    facet = _facet(change, agent_facet.read(spec), known)
    builtin = spec.tools
    if change.capabilities is not None or change.initial_files:
        builtin = known.with_tools_of(spec.tools, _refs(facet))
    prompt, description = change.system_prompt, change.description
    after = replace(
        spec,
        name=spec.name if change.name is None else name(change.name),
        instructions=spec.instructions if prompt is None else _bounded(prompt, MAX_PROMPT_BYTES),
        description=spec.description if description is None else _bounded(description, MAX_DESCRIPTION_BYTES),
        runner=runner(change) or spec.runner,
        model=model or spec.model,
        tools=builtin,
        client_tools=spec.client_tools if change.tools is None else client_tools(facet.tools),
        max_model_calls=(
            spec.max_model_calls
            if change.max_iterations is None
            else agent_facet.model_calls(change.max_iterations)
        ),
    )
    return agent_facet.written(_configured(after, spec), facet)


def _facet(said: wire.AgentFields, before: AgentFacet, known: Capabilities) -> AgentFacet:
    """What is said now over what was said before."""
    files = before.initial_files if said.initial_files is None else initial_files(said.initial_files)
    servers = said.mcpServers if said.mcpServers is not None else said.mcp_servers
    access = (
        before.network_access if said.network_access is None else msgspec.to_builtins(said.network_access)
    )
    refs = before.capabilities if said.capabilities is None else capability_configs(said.capabilities, known)
    if files and all(each["ref"] != FILES for each in refs):
        refs = [*refs, {"ref": FILES}]
    return AgentFacet(
        display_name=_bounded_or_none(said.display_name, MAX_TEXT_BYTES) or before.display_name,
        tags=before.tags if said.tags is None else [_bounded(tag, MAX_TEXT_BYTES) for tag in said.tags],
        capabilities=refs,
        tools=before.tools if said.tools is None else tools(said.tools),
        initial_files=files,
        mcp_servers=before.mcp_servers if servers is None else _free("mcpServers", servers),
        # An empty object takes the restrictions away.
        network_access=access if access and any(access.values()) else None,
        max_iterations=before.max_iterations if said.max_iterations is None else said.max_iterations,
        parallel_tool_calls=(
            before.parallel_tool_calls if said.parallel_tool_calls is None else said.parallel_tool_calls
        ),
    )


def _refs(facet: AgentFacet) -> list[str]:
    return [each["ref"] for each in facet.capabilities]


def capability_configs(said: Sequence[wire.CapabilityConfig], known: Capabilities) -> list[dict[str, Any]]:
    """As they are kept; the last word on one counts, in the place of the first."""
    if len(said) > MAX_CAPABILITIES:
        raise _exceeded()
    known.check(each.ref for each in said)
    for each in said:
        _free("capabilities", each.config or {})
    return list({each.ref: msgspec.to_builtins(each) for each in said}.values())


def tools(said: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every definition with all that it says; InvalidRequest for what is no tool of a client."""
    for tool in said:
        _free("tools", tool)
        try:
            msgspec.convert(tool, wire.ToolDefinition)
        except msgspec.ValidationError as error:
            complaint = invalid(error)
            raise InvalidRequest(f"tools.{complaint.field}", complaint.problem) from None
    check_client_tools("tools", client_tools(said))
    return [dict(tool) for tool in said]


def client_tools(said: Sequence[Mapping[str, Any]]) -> tuple[ClientTool, ...]:
    """What our models are told of definitions that were found to be sound."""
    return tuple(
        ClientTool(name=each["name"], description=each["description"], parameters=each["parameters"])
        for each in said
    )


def initial_files(said: Sequence[wire.InitialFile]) -> list[dict[str, Any]]:
    """As they are kept; the last one of a path counts."""
    sizes = (len(starter_files.content(file.path, file.content, file.encoding)) for file in said)
    if len(said) > MAX_FILES or sum(sizes) > MAX_FILES_BYTES:
        raise _exceeded()
    for file in said:
        file_path(file.path.removeprefix(starter_files.AREA), "initial_files")
    return list({file.path: msgspec.to_builtins(file) for file in said}.values())


def _free(field: str, value: Mapping[str, Any]) -> dict[str, Any]:
    check_free_form(field, value, MAX_KEYS, MAX_PROMPT_BYTES)
    return dict(value)


def _bounded(text: str, most: int) -> str:
    if len(text.encode()) > most:
        raise _exceeded()
    return text


def _bounded_or_none(text: str | None, most: int) -> str | None:
    return None if text is None else _bounded(text, most)


def _exceeded() -> BadRequest:
    return BadRequest("Input exceeds allowed limits")
