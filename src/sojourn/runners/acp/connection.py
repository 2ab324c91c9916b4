"""The protocol's library, wrapped: a program is asked, and what it tells and asks comes into a feed in its order.

Importing this module takes the better part of a second; the runner does so in a thread, on the first turn.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

import acp
from acp import schema
from acp.interfaces import Agent

from sojourn import __version__
from sojourn.domain.content import Usage
from sojourn.domain.kinds import Json
from sojourn.domain.model_events import PlanStep
from sojourn.runners.acp.lines import Lines
from sojourn.runners.acp.updates import (
    Cost,
    Ended,
    Feed,
    FileRequest,
    Item,
    Option,
    Permission,
    Plan,
    Text,
    Thought,
    ToolNews,
)
from sojourn.runners.program import Program

AUTHENTICATION_NEEDED: Final = -32000
OUTPUT_CHARACTERS: Final = 200_000
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")

RequestError = acp.RequestError
T = TypeVar("T")


class OtherVersion(ValueError):
    def __init__(self, version: int) -> None:
        super().__init__(
            f"it speaks version {version} of the protocol, and this server {acp.PROTOCOL_VERSION}"
        )


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the program says that it can. `login_hints` are its own words about how to log in."""

    title: str
    loads: bool
    resumes: bool
    login_hints: Sequence[str]


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """The program's session. `model` is the one that it uses now, `models` are those it can be told to use."""

    id: str
    model: str | None
    models: tuple[str, Sequence[str]] | None


class Connection:
    """To one running program. While nobody listens its questions are refused and what it tells is passed over."""

    def __init__(self, program: Program) -> None:
        self._client = _Client()
        self._agent = acp.connect_to_agent(self._client, Lines(program.reader, program.writer))
        self._login: str | None = None

    async def initialize(self, logins: Sequence[str] = ()) -> Abilities:
        """`logins` are the methods of logging in for which the program has been given what they need."""
        capabilities = schema.ClientCapabilities(
            fs=schema.FileSystemCapabilities(read_text_file=True, write_text_file=True), terminal=False
        )
        answer = await self._agent.initialize(
            protocol_version=acp.PROTOCOL_VERSION,
            client_capabilities=capabilities,
            client_info=schema.Implementation(name="sojourn", title="Sojourn", version=__version__),
        )
        if answer.protocol_version != acp.PROTOCOL_VERSION:
            raise OtherVersion(answer.protocol_version)
        can = answer.agent_capabilities or schema.AgentCapabilities()
        sessions = can.session_capabilities
        methods = answer.auth_methods or []
        offered = {method.id for method in methods}
        self._login = next((login for login in logins if login in offered), None)
        return Abilities(
            title=answer.agent_info.name if answer.agent_info else "",
            loads=bool(can.load_session),
            resumes=sessions is not None and sessions.resume is not None,
            login_hints=[method.description or method.name for method in methods],
        )

    async def new_session(self, cwd: str) -> ProviderSession:
        answer = await self._admitted(lambda: self._agent.new_session(cwd=cwd, mcp_servers=[]))
        return _session(answer.session_id, answer.config_options)

    async def continue_session(self, id: str, cwd: str, abilities: Abilities) -> ProviderSession:
        """Go on with a session of the program's; what it tells of the past is passed over."""
        if abilities.resumes:
            resumed = await self._admitted(
                lambda: self._agent.resume_session(session_id=id, cwd=cwd, mcp_servers=[])
            )
            return _session(id, resumed.config_options)
        loaded = await self._admitted(
            lambda: self._agent.load_session(session_id=id, cwd=cwd, mcp_servers=[])
        )
        return _session(id, loaded.config_options)

    async def _admitted(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Log in with a key only where the program wants a login: a user may have logged in by another way."""
        try:
            return await ask()
        except RequestError as error:
            if error.code != AUTHENTICATION_NEEDED or self._login is None:
                raise
        await self._agent.authenticate(method_id=self._login)
        return await ask()

    async def choose_model(self, session: ProviderSession, model: str) -> None:
        assert session.models is not None
        await self._agent.set_config_option(config_id=session.models[0], session_id=session.id, value=model)

    def prompt(self, session: str, texts: Sequence[str]) -> Feed:
        """Ask; the feed's last item says how it ended."""
        feed = Feed()
        self._client.session, self._client.listener = session, feed.put
        asking = asyncio.create_task(
            self._agent.prompt(session_id=session, prompt=[acp.text_block(text) for text in texts])
        )
        self._client.asking = asking
        asking.add_done_callback(lambda task: feed.put(_ended(task)))
        return feed

    async def cancel(self, session: str) -> None:
        """Ask the program to stop what it does, and wait until it has. Its open questions are answered with none."""
        asking = self._client.asking
        self._client.withdraw()
        if asking is None or asking.done():
            return
        await self._agent.cancel(session_id=session)
        await asyncio.wait([asking])

    def mute(self) -> None:
        """Nobody listens any more."""
        self._client.listener = None
        self._client.withdraw()

    async def close(self) -> None:
        self.mute()
        await self._agent.close()


class _Client:
    """What the library calls for each message; it handles them in their order as long as nothing here waits first."""

    def __init__(self) -> None:
        self.listener: Callable[[Item], None] | None = None
        self.session = ""
        self.asking: asyncio.Task[schema.PromptResponse] | None = None
        self._open: set[Permission] = set()

    def withdraw(self) -> None:
        for permission in self._open:
            if not permission.answer.done():
                permission.answer.set_result(None)

    async def session_update(self, session_id: str, update: Any, **_meta: Any) -> None:
        item = _item(update)
        # A program may have sessions of its own beside the one that is asked: helpers that work for it.
        if item is not None and self.listener is not None and session_id == self.session:
            self.listener(item)

    async def request_permission(
        self,
        session_id: str,
        tool_call: schema.ToolCallUpdate,
        options: list[schema.PermissionOption],
        **_meta: Any,
    ) -> schema.RequestPermissionResponse:
        answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        permission = Permission(
            tool=_tool(tool_call),
            options=[Option(option.option_id, option.name, option.kind) for option in options],
            answer=answer,
        )
        if self.listener is None:
            return _chosen(None)
        self._open.add(permission)
        try:
            self.listener(permission)
            return _chosen(await answer)
        finally:
            self._open.discard(permission)

    async def write_text_file(self, session_id: str, path: str, content: str, **_meta: Any) -> Any:
        await self._file(path, content)
        return schema.WriteTextFileResponse()

    async def read_text_file(
        self, session_id: str, path: str, line: int | None = None, limit: int | None = None, **_meta: Any
    ) -> schema.ReadTextFileResponse:
        text = await self._file(path, None)
        if line is not None or limit is not None:
            start = max((line or 1) - 1, 0)
            # Only these end a line for a program; Python would end one at a form feed too.
            lines = _LINE.findall(text)
            text = "".join(lines[start:] if limit is None else lines[start : start + limit])
        return schema.ReadTextFileResponse(content=text)

    async def _file(self, path: str, content: str | None) -> str:
        if self.listener is None:
            raise acp.RequestError.internal_error({"details": "No turn is under way."})
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.listener(FileRequest(path=path, content=content, answer=answer))
        try:
            return await answer
        except OSError as error:
            raise acp.RequestError.invalid_params({"details": str(error)}) from None

    async def _refuse(self, *_given: Any, **_named: Any) -> Any:
        """A capability that the program was told is not there."""
        raise acp.RequestError.internal_error({"details": "This client offers no terminals and no forms."})

    create_terminal = _refuse
    terminal_output = _refuse
    release_terminal = _refuse
    wait_for_terminal_exit = _refuse
    kill_terminal = _refuse
    create_elicitation = _refuse

    async def complete_elicitation(self, elicitation_id: str, **_meta: Any) -> None:
        pass

    async def ext_method(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        raise acp.RequestError.method_not_found(method)

    async def ext_notification(self, method: str, params: dict[str, Any]) -> None:
        pass

    def on_connect(self, conn: Agent) -> None:
        pass


def _ended(task: "asyncio.Task[schema.PromptResponse]") -> Ended:
    if task.cancelled():
        return Ended(error=ConnectionError("The connection was closed."))
    error = task.exception()
    if error is not None:
        return Ended(error=error if isinstance(error, Exception) else ConnectionError(str(error)))
    answer = task.result()
    used = answer.usage
    usage = used and Usage(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens + (used.thought_tokens or 0),
        cache_read_tokens=used.cached_read_tokens or 0,
        cache_write_tokens=used.cached_write_tokens or 0,
    )
    return Ended(reason=answer.stop_reason, usage=usage)


def _item(update: Any) -> Item | None:
    match update:
        case schema.AgentMessageChunk(content=schema.TextContentBlock(text=text)):
            return Text(text)
        case schema.AgentThoughtChunk(content=schema.TextContentBlock(text=text)):
            return Thought(text)
        case schema.ToolCallStart() | schema.ToolCallProgress():
            return _tool(update)
        case schema.AgentPlanUpdate(entries=entries):
            return Plan([PlanStep(entry.content, entry.priority, entry.status) for entry in entries])
        case schema.UsageUpdate(cost=schema.Cost(amount=amount, currency="USD")):
            return Cost(Decimal(str(amount)))
        case _:
            return None


def _tool(update: schema.ToolCallStart | schema.ToolCallProgress | schema.ToolCallUpdate) -> ToolNews:
    raw: Json = update.raw_input
    return ToolNews(
        id=update.tool_call_id,
        title=update.title,
        kind=update.kind,
        state=update.status,
        input=raw,
        output=_output(update),
    )


def _output(update: schema.ToolCallStart | schema.ToolCallProgress | schema.ToolCallUpdate) -> str | None:
    """What the call has brought so far, as text; None where the update says nothing of it."""
    if not update.content:
        return None if update.raw_output is None else _text(update.raw_output)[:OUTPUT_CHARACTERS]
    texts: list[str] = []
    for piece in update.content:
        match piece:
            case schema.ContentToolCallContent(content=schema.TextContentBlock(text=text)):
                texts.append(text)
            case schema.FileEditToolCallContent(path=path):
                texts.append(f"changed {path}")
            case _:
                pass
    return "\n".join(texts)[:OUTPUT_CHARACTERS]


def _text(raw: Json) -> str:
    return raw if isinstance(raw, str) else json.dumps(raw, ensure_ascii=False)


def _chosen(option: str | None) -> schema.RequestPermissionResponse:
    if option is None:
        return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))
    return schema.RequestPermissionResponse(
        outcome=schema.AllowedOutcome(outcome="selected", option_id=option)
    )


def _session(id: str, options: Sequence[Any] | None) -> ProviderSession:
    for option in options or ():
        if isinstance(option, schema.SessionConfigOptionSelect) and option.category == "model":
            return ProviderSession(id, option.current_value, (option.id, list(_choices(option))))
    return ProviderSession(id, None, None)


def _choices(option: schema.SessionConfigOptionSelect) -> Iterator[str]:
    """What may be chosen, be it in groups or not."""
    for choice in option.options:
        if isinstance(choice, schema.SessionConfigSelectGroup):
            yield from (one.value for one in choice.options)
        else:
            yield choice.value
