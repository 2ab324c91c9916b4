"""The capabilities `mcp_http` and `mcp_stdio`: the tools of a server, under the name that the agent gives it.

The library is imported when the first turn needs it.
"""

import asyncio
import os
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sojourn.domain.capability import CapabilityKind
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.mcp import HTTP_SCHEMA, STDIO_SCHEMA, McpHttp, McpStdio, read_mcp_http, read_mcp_stdio
from sojourn.outgoing import Outgoing
from sojourn.ports.turns import Journal
from sojourn.ports.vault import SecretSource
from sojourn.runners.heavy import imported
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.openers import CapabilityBroken
from sojourn.runners.model.tools import OutcomeUnknown, Tool, ToolFailed
from sojourn.runners.program import COMMON_VARIABLES
from sojourn.runners.revealing import SecretUnusable, revealed, revealed_headers

if TYPE_CHECKING:
    from sojourn.runners.model.mcp.connection import Connection, Transports
    from sojourn.runners.model.mcp.listing import Listed

KEPT_LISTS: Final = 1_000
KEPT_SECONDS: Final = 300.0
_NO_LIBRARY: Final = "pip install 'sojourn[agents]'"

Place = tuple[OrgId, SessionId, str]


class _Lists:
    """What servers listed to sessions, those asked last.

    A list stands while the session's configuration does, for some minutes: between turns nobody hears of its changes.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Place, tuple[Mapping[str, Json], float, Sequence[Listed]]] = OrderedDict()

    def get(self, place: Place, config: Mapping[str, Json]) -> "Sequence[Listed] | None":
        kept = self._kept.get(place)
        if kept is None or kept[0] != config or kept[1] <= time.monotonic():
            return None
        self._kept.move_to_end(place)
        return kept[2]

    def put(self, place: Place, config: Mapping[str, Json], tools: "Sequence[Listed]") -> None:
        self._kept[place] = (config, time.monotonic() + KEPT_SECONDS, tools)
        if len(self._kept) > KEPT_LISTS:
            self._kept.popitem(last=False)

    def forget(self, place: Place) -> None:
        self._kept.pop(place, None)


def _import_library() -> None:
    import_module("sojourn.runners.model.mcp.transports")


@asynccontextmanager
async def _open(
    lists: _Lists,
    place: Place,
    config: Mapping[str, Json],
    transport: "Callable[[], Transports]",
    seconds: float,
) -> AsyncGenerator[Sequence[Tool]]:
    await asyncio.to_thread(imported, _import_library)
    from sojourn.runners.model.mcp.connection import Connection, ServerGone, ServerRefused
    from sojourn.runners.model.mcp.listing import listed

    reference = place[2]
    connection = Connection(transport())
    try:
        found = lists.get(place, config)
        if found is None:
            try:
                found = [listed(reference, tool) for tool in await connection.tools()]
            except (ServerGone, ServerRefused) as error:
                raise CapabilityBroken(f"The MCP server {reference} tells of no tools: {error}") from None
            lists.put(place, config, found)
        forget = partial(lists.forget, place)
        yield [_tool(connection, tool, seconds, forget) for tool in found]
    finally:
        await connection.close()


def _tool(connection: "Connection", tool: "Listed", seconds: float, forget: Callable[[], None]) -> Tool:
    from sojourn.runners.model.mcp.connection import ServerGone, ServerLost, ServerRefused
    from sojourn.runners.model.mcp.listing import text_of

    async def run(_journal: Journal, arguments: Mapping[str, Any]) -> str:
        try:
            result = await connection.call(tool.own, arguments, seconds)
        except ServerRefused as error:
            forget()
            raise ToolFailed(str(error)) from None
        except ServerGone as error:
            forget()
            raise ToolFailed(f"The MCP server cannot be reached: {error}") from None
        except ServerLost as error:
            forget()
            raise OutcomeUnknown(f"The MCP server gave no answer: {error}") from None
        text = text_of(result)
        if result.is_error:
            raise ToolFailed(text)
        return text

    return Tool(ToolSpec(tool.name, tool.description, tool.parameters), run, tool.is_repeatable)


class McpOverHttp:
    def __init__(self, outgoing: Outgoing, secrets: SecretSource) -> None:
        self._outgoing = outgoing
        self._secrets = secrets
        self._lists = _Lists()

    @property
    def kind(self) -> CapabilityKind:
        return CapabilityKind(
            name="mcp_http",
            description="The tools of a server that speaks the Model Context Protocol over HTTP (streamable).",
            config_schema=HTTP_SCHEMA,
            tools=None,
            missing=None if find_spec("mcp") else _NO_LIBRARY,
            check=read_mcp_http,
        )

    @asynccontextmanager
    async def open(
        self, journal: Journal, reference: str, config: Mapping[str, Json]
    ) -> AsyncGenerator[Sequence[Tool]]:
        turn, said = journal.turn, read_mcp_http(f"capabilities.{reference}.config", config)
        try:
            headers = await revealed_headers(self._secrets, turn.org, said.headers)
        except SecretUnusable as error:
            raise CapabilityBroken(f"The MCP server {reference} cannot be asked: {error}") from None
        place = (turn.org, turn.session, reference)
        transport = partial(self._transport, said, headers)
        async with _open(self._lists, place, config, transport, said.timeout_seconds) as tools:
            yield tools

    def _transport(self, said: McpHttp, headers: Mapping[str, str]) -> "Transports":
        from sojourn.runners.model.mcp.transports import over_http

        return partial(over_http, self._outgoing, said.url, headers, said.timeout_seconds)


class McpOverStdio:
    """`directory` is where the programs run; `environment` is the server's, of which they get what is not secret."""

    def __init__(
        self, directory: Path, environment: Mapping[str, str], secrets: SecretSource, *, allow_commands: bool
    ) -> None:
        self._directory = directory
        self._environment = environment
        self._secrets = secrets
        self._allow_commands = allow_commands
        self._lists = _Lists()

    @property
    def kind(self) -> CapabilityKind:
        missing = (
            None if self._allow_commands else "set SOJOURN_ALLOW_COMMANDS, which lets clients run programs"
        )
        return CapabilityKind(
            name="mcp_stdio",
            description="The tools of a program of this machine that speaks the Model Context Protocol.",
            config_schema=STDIO_SCHEMA,
            tools=None,
            missing=missing if find_spec("mcp") else _NO_LIBRARY,
            note="The program runs with the rights of the server.",
            check=read_mcp_stdio,
        )

    @asynccontextmanager
    async def open(
        self, journal: Journal, reference: str, config: Mapping[str, Json]
    ) -> AsyncGenerator[Sequence[Tool]]:
        turn, said = journal.turn, read_mcp_stdio(f"capabilities.{reference}.config", config)
        if not self._allow_commands:
            raise CapabilityBroken(f"The MCP server {reference} is a program, and this server starts none.")
        variables = {name: self._environment[name] for name in COMMON_VARIABLES if name in self._environment}
        try:
            for name, value in said.env.items():
                plain = isinstance(value, str)
                variables[name] = value if plain else await revealed(self._secrets, turn.org, value)
        except SecretUnusable as error:
            raise CapabilityBroken(f"The MCP server {reference} cannot be started: {error}") from None
        program = shutil.which(said.command[0], path=variables.get("PATH", os.defpath))
        if program is None:
            raise CapabilityBroken(
                f"The MCP server {reference} is no program of this machine: {said.command[0]}"
            )
        place = (turn.org, turn.session, reference)
        transport = partial(self._transport, said, program, variables)
        async with _open(self._lists, place, config, transport, said.timeout_seconds) as tools:
            yield tools

    def _transport(self, said: McpStdio, program: str, variables: Mapping[str, str]) -> "Transports":
        from sojourn.runners.model.mcp.transports import over_stdio

        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return partial(over_stdio, (program, *said.command[1:]), self._directory, variables)
