"""A small agent that speaks the real protocol over its standard streams: `python agent.py [OPTION…]`.

What it does is what it is told, one instruction a line of the prompt: `say TEXT`, `half`, `think TEXT`, `plan TEXT`,
`run ID` (a tool, from its call to its result), `ask ID` (the same with a permission first), `start ID`, `finish ID`,
`write PATH TEXT`, `read PATH`, `line NUMBER PATH`, `raw JSON` (a tool's output), `helper TEXT` (of another session),
`cost USD`, `key` (how long its key is), `wait` (until it is cancelled), `refuse`, `fail`, `die`. Its sessions are kept
as files beside the directory it is started in: prompts, one a line.

`mute` never answers, `exit` ends at once, `leak` says its key and ends, `leak-login` says it in its refusal, `login`
wants to be logged in, `forgetful` cannot load a session, `fragile` ends when it is to, `newer` speaks a new version of
the protocol, `stubborn` does not stop when it is asked to.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import acp
from acp import schema

OPTIONS = [
    schema.PermissionOption(option_id="yes", name="Yes", kind="allow_once"),
    schema.PermissionOption(option_id="yes-always", name="Always", kind="allow_always"),
    schema.PermissionOption(option_id="no", name="No", kind="reject_once"),
]


class ScriptedAgent:
    def __init__(self, traits: set[str]) -> None:
        self._traits = traits
        self._client: Any = None
        self._cancelled = asyncio.Event()
        self._session = ""
        self._is_admitted = False

    def on_connect(self, conn: Any) -> None:
        self._client = conn

    async def initialize(self, protocol_version: int, **_meta: Any) -> schema.InitializeResponse:
        if "mute" in self._traits:
            await asyncio.Event().wait()
        return schema.InitializeResponse(
            protocol_version=protocol_version + ("newer" in self._traits),
            auth_methods=[
                schema.AuthMethodAgent(id="chat", name="Chat"),
                schema.AuthMethodAgent(id="api-key", name="Key"),
            ],
            agent_capabilities=schema.AgentCapabilities(load_session="forgetful" not in self._traits),
            agent_info=schema.Implementation(name="scripted", version="1"),
        )

    async def new_session(self, cwd: str, **_meta: Any) -> schema.NewSessionResponse:
        if "leak-login" in self._traits:
            raise acp.RequestError(-32603, f"the key is {os.environ['ACME_KEY']}.")
        if "login" in self._traits or ("key-login" in self._traits and not self._is_admitted):
            raise acp.RequestError.auth_required()
        session = f"s-{uuid4().hex[:8]}"
        self._file(session).touch()
        return schema.NewSessionResponse(session_id=session)

    async def authenticate(self, method_id: str, **_meta: Any) -> schema.AuthenticateResponse:
        self._is_admitted = method_id == "api-key"
        return schema.AuthenticateResponse()

    async def load_session(self, session_id: str, **_meta: Any) -> schema.LoadSessionResponse:
        if "fragile" in self._traits:
            os._exit(5)
        if not self._file(session_id).exists():
            raise acp.RequestError.resource_not_found(session_id)
        await self._tell(session_id, acp.update_agent_message_text("what was said before"))
        return schema.LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **_meta: Any) -> schema.PromptResponse:
        self._session = session_id
        self._cancelled.clear()
        texts: list[str] = [block.text for block in prompt]
        text = "\n".join(texts)
        with self._file(session_id).open("a") as file:
            file.write(json.dumps(text) + "\n")
        usage = schema.Usage(total_tokens=7, input_tokens=5, output_tokens=2)
        for line in text.splitlines():
            verb, _, rest = line.partition(" ")
            reason = await self._do(verb, rest)
            if reason is not None:
                return schema.PromptResponse(stop_reason=reason)
        return schema.PromptResponse(stop_reason="end_turn", usage=usage)

    async def cancel(self, session_id: str, **_meta: Any) -> None:
        if "stubborn" not in self._traits:
            self._cancelled.set()

    async def _do(self, verb: str, rest: str) -> Any:
        match verb:
            case "say":
                for word in rest.split():
                    await self._say(acp.update_agent_message_text(f"{word} "))
            case "think":
                await self._say(acp.update_agent_thought_text(rest))
            case "plan":
                await self._say(acp.update_plan([acp.plan_entry(rest)]))
            case "run" | "ask" | "start" | "finish":
                return await self._tool(verb, rest)
            case "key":
                text = f"a key of {len(os.environ['ACME_KEY'])} characters"
                await self._say(acp.update_agent_message_text(text))
            case "write" | "read" | "line":
                await self._files(verb, rest)
            case "cost":
                cost = schema.Cost(amount=float(rest), currency="USD")
                await self._say(schema.UsageUpdate(session_update="usage_update", used=1, size=9, cost=cost))
            case _:
                return await self._more(verb, rest)
        return None

    async def _files(self, verb: str, rest: str) -> None:
        first, _, second = rest.partition(" ")
        match verb:
            case "write":
                await self._client.write_text_file(session_id=self._session, path=first, content=second)
                return
            case "read":
                answer = await self._client.read_text_file(session_id=self._session, path=rest)
            case _:
                answer = await self._client.read_text_file(
                    session_id=self._session, path=second, line=int(first), limit=1
                )
        await self._say(acp.update_agent_message_text(answer.content))

    async def _more(self, verb: str, rest: str) -> Any:
        match verb:
            case "helper":
                await self._tell("of-a-helper", acp.update_agent_message_text(rest))
            case "raw":
                await self._say(acp.start_tool_call("raw", "work", raw_input={}, raw_output=json.loads(rest)))
                await self._say(acp.update_tool_call("raw", status="completed"))
            case _:
                return await self._end(verb)
        return None

    async def _end(self, verb: str) -> Any:
        match verb:
            case "wait":
                await self._cancelled.wait()
                return "cancelled"
            case "half":
                # A character that was cut in two on its way.
                for piece in ("\ud83d", "\ude00"):
                    await self._say(acp.update_agent_message_text(piece))
                return None
            case "refuse":
                return "refusal"
            case "tire":
                return "max_turn_requests"
            case "fail":
                raise acp.RequestError.internal_error({"details": "the model is on fire"})
            case "die":
                sys.stderr.write("it hurts\n")
                sys.stderr.flush()
                os._exit(7)
            case _:
                return None

    async def _tool(self, verb: str, id: str) -> Any:
        if verb != "finish":
            await self._say(acp.start_tool_call(id, "work", kind="execute", raw_input={"id": id}))
        if verb == "ask":
            call = schema.ToolCallUpdate(tool_call_id=id, title=f"work on {id}", kind="execute")
            asked = await self._client.request_permission(
                session_id=self._session, tool_call=call, options=OPTIONS
            )
            if asked.outcome.outcome == "cancelled":
                return "cancelled"
            await self._say(acp.update_agent_message_text(f"[{asked.outcome.option_id}]"))
            if asked.outcome.option_id == "no":
                await self._say(acp.update_tool_call(id, status="failed"))
                return None
        if verb != "finish":
            await self._say(acp.update_tool_call(id, status="in_progress"))
        if verb != "start":
            done = [acp.tool_content(acp.text_block(f"done {id}"))]
            await self._say(acp.update_tool_call(id, status="completed", content=done))
        return None

    async def _say(self, update: Any) -> None:
        await self._tell(self._session, update)

    async def _tell(self, session: str, update: Any) -> None:
        await self._client.session_update(session_id=session, update=update)

    @staticmethod
    def _file(session: str) -> Path:
        return Path("..", f"{Path.cwd().name}.{session}.jsonl")


if __name__ == "__main__":
    traits = set(sys.argv[1:])
    if "exit" in traits:
        sys.exit("no licence found")
    if "leak" in traits:
        sys.exit(f"the key is {os.environ['ACME_KEY']}.")
    asyncio.run(acp.run_agent(ScriptedAgent(traits)))  # type: ignore[arg-type]
