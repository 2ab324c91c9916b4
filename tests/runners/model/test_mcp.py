"""Agents with servers of the Model Context Protocol, which are real ones: a program, and one behind HTTP."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from mcp.server import MCPServer
from mcp_types import CallToolResult, ImageContent, TextContent, Tool, ToolAnnotations
from starlette.types import ASGIApp, Receive, Scope, Send

from sojourn.client import Capability, Client
from sojourn.runners.model.mcp import opener, transports
from sojourn.runners.model.mcp.listing import listed, text_of, tool_name
from tests.client.server import ServerProcess
from tests.native.asserting import problem
from tests.runners.http.sessions import ended, is_end, more, read_to, said, say, until, watch
from tests.runners.model import mcp_server
from tests.support.programs import gone
from tests.web.served import BOUND_SECONDS, Served, open_served

SERVER = str(Path(mcp_server.__file__))
STDIO: dict[str, Any] = {"kind": "mcp_stdio", "config": {"command": sys.executable, "args": [SERVER]}}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(
        tmp_path, default_model="sim/script", allow_commands=True, private_mcp=True
    ) as served:
        yield served


async def give(served: Served, capability: dict[str, Any], **agent: Any) -> None:
    body = {"name": "clerk", "capabilities": {"own": capability}, **agent}
    made = await served.client.post("agents", json=body)
    assert made.status_code == 201, made.text


def calling(*calls: tuple[str, dict[str, Any]]) -> str:
    return json.dumps(
        [*({"call": {"name": name, "arguments": given}} for name, given in calls), {"say": "done"}]
    )


async def results(served: Served, *calls: tuple[str, dict[str, Any]]) -> list[tuple[str, str]]:
    items = await ended(served, await say(served, "clerk", calling(*calls)))
    return [(result["status"], result["output"]) for result in said(items, "tool.completed")]


async def test_the_tools_of_a_program_are_called_under_the_agents_name_for_it(served: Served) -> None:
    stored = await served.client.put("secrets/word", json={"value": "open-sesame"})
    assert stored.status_code == 200
    config = {**STDIO["config"], "env": {"WORD": "secret://word"}}
    await give(served, {"kind": "mcp_stdio", "config": config})
    added, word, own, failed, dotted = await results(
        served,
        ("own__add", {"a": 2, "b": 3}),
        ("own__variable", {"name": "WORD"}),
        ("own__variable", {"name": "SOJOURN_BOOTSTRAP_KEY"}),
        ("own__fail", {}),
        (tool_name("own", "a.dotted/name"), {}),
    )
    assert added == ("done", "5")
    assert word == ("done", "open-sesame")
    assert own == ("done", "nothing")
    assert failed == ("error", "Error executing tool fail")
    assert dotted == ("done", "heard")


def test_what_a_call_brings_is_bounded_and_what_is_no_text_is_named() -> None:
    long = text_of(CallToolResult(content=[TextContent(text="x" * 60_000)]))
    assert long == "x" * 50_000 + "\n[10000 characters more]"
    image = ImageContent(data="", mime_type="image/png")
    assert text_of(CallToolResult(content=[TextContent(text="a"), image])) == "a\n[image, which is no text]"
    assert text_of(CallToolResult(content=[], structured_content={"a": 1})) == '{"a":1}'


def test_only_what_is_declared_safe_may_run_again() -> None:
    def declared(hints: ToolAnnotations | None) -> bool:
        return listed("own", Tool(name="a", input_schema={"type": "object"}, annotations=hints)).is_repeatable

    assert declared(ToolAnnotations(read_only_hint=True))
    assert declared(ToolAnnotations(idempotent_hint=True))
    assert not declared(ToolAnnotations(destructive_hint=False))
    assert not declared(None)


def test_names_that_models_do_not_take_become_others_that_stay_apart() -> None:
    names = {tool_name("own", own) for own in ("a", "a.b", "a/b", "a" * 90, "a" * 91, "ä")}
    assert len(names) == 6
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", name) for name in names)


async def test_a_rule_about_a_tool_of_a_server_holds(served: Served) -> None:
    await give(served, STDIO, tool_policy={"own__add": "deny"})
    assert await results(served, ("own__add", {"a": 2, "b": 3})) == [
        ("error", "The tool policy forbids this call.")
    ]


async def test_a_call_that_hangs_ends_in_its_time_and_its_outcome_is_unknown(
    served: Served, tmp_path: Path
) -> None:
    await give(served, {"kind": "mcp_stdio", "config": {**STDIO["config"], "timeout_seconds": 1}})
    path = new_pipe(tmp_path)
    pid, ends = await asyncio.gather(process(path), results(served, ("own__hang", {"path": str(path)})))
    assert ends == [("unknown", "The MCP server gave no answer: it did not answer within 1 s")]
    await gone(pid)


async def test_a_server_that_ends_in_a_call_is_started_again_for_the_next(served: Served) -> None:
    await give(served, STDIO)
    left, added = await results(served, ("own__leave", {}), ("own__add", {"a": 2, "b": 3}))
    assert left[0] == "unknown"
    assert added == ("done", "5")


async def test_an_answer_that_is_too_large_is_not_taken_and_the_server_is_there_for_the_next(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "MAX_ANSWER_BYTES", 64 * 1024)
    await give(served, STDIO)
    flood, added = await results(served, ("own__flood", {}), ("own__add", {"a": 2, "b": 3}))
    assert flood[0] == "unknown"
    assert added == ("done", "5")


async def test_what_a_server_has_learnt_is_there_once_its_list_is_old(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opener, "KEPT_SECONDS", 0.0)
    learnt = tmp_path / "learnt"
    await give(served, {"kind": "mcp_stdio", "config": {**STDIO["config"], "env": {"LEARNT": str(learnt)}}})
    session = await say(served, "clerk", calling())
    async with aclosing(await watch(served, session)) as feed:
        await read_to(feed, is_end)
        learnt.touch()
        await more(served, session, calling(("own__learnt", {})))
        (result,) = said(await read_to(feed, is_end), "tool.completed")
    assert result["output"] == "known"


async def test_a_server_that_is_killed_leaves_no_program_of_its_agents(tmp_path: Path) -> None:
    async with (
        ServerProcess(tmp_path / "data", SOJOURN_ALLOW_COMMANDS="true") as server,
        Client(server.url, server.key) as client,
    ):
        capability = Capability(kind="mcp_stdio", config=STDIO["config"])
        agent = await client.create_agent(name="clerk", capabilities={"own": capability})
        session = await client.create_session(agent=agent.id)
        path = new_pipe(tmp_path)
        await client.send(session.id, calling(("own__hang", {"path": str(path)})))
        pid = await process(path)
        await server.kill()
        await gone(pid)


async def test_a_stopped_turn_leaves_no_process_of_its_servers(served: Served, tmp_path: Path) -> None:
    await give(served, STDIO)
    path = new_pipe(tmp_path)
    session = await say(served, "clerk", calling(("own__hang", {"path": str(path)})))
    await until(served, session, "tool.started")
    pid = await process(path)
    stop = {"delivery": "interrupt", "content": "[]"}
    assert (await served.client.post(f"sessions/{session}/inputs", json=stop)).status_code == 202
    await until(served, session, "turn.cancelled")
    await gone(pid)


async def test_a_server_behind_http_is_sent_the_stored_secret_by_every_session(served: Served) -> None:
    assert (await served.client.put("secrets/mcp", json={"value": "t0ken"})).status_code == 200
    async with over_http(mcp_server.server) as (url, seen):
        config = {"url": url, "headers": {"Authorization": "Bearer secret://mcp"}}
        await give(served, {"kind": "mcp_http", "config": config})
        session = await say(served, "clerk", calling(("own__add", {"a": 2, "b": 3})))
        items = await ended(served, session)
        asked = len(seen)
        again = await ended(served, await say(served, "clerk", calling()))
    assert seen
    assert {headers["authorization"] for headers in seen} == {"Bearer t0ken"}
    assert said(items, "tool.completed")[0]["output"] == "5"
    assert "t0ken" not in repr([*items, *again])
    assert len(seen) > asked


async def test_a_server_that_is_not_there_fails_the_turn_with_its_name(served: Served) -> None:
    await give(served, {"kind": "mcp_http", "config": {"url": "http://127.0.0.1:9/mcp"}})
    session = await say(served, "clerk", calling())
    retried = said(await until(served, session, "turn.retried"), "turn.retried")[0]
    assert retried["error"].startswith("The MCP server own tells of no tools: ")


async def test_private_addresses_and_programs_are_refused_unless_the_settings_allow_them(
    tmp_path: Path,
) -> None:
    async with (
        open_served(tmp_path, default_model="sim/script") as served,
        over_http(mcp_server.server) as (url, seen),
    ):
        refused = await served.client.post("agents", json={"name": "a", "capabilities": {"own": STDIO}})
        assert (
            "SOJOURN_ALLOW_COMMANDS"
            in problem(refused, 422, "invalid_request", "capabilities.own.kind")["detail"]
        )
        await give(served, {"kind": "mcp_http", "config": {"url": url}})
        session = await say(served, "clerk", calling())
        retried = said(await until(served, session, "turn.retried"), "turn.retried")[0]
    assert "private" in retried["error"]
    assert not seen


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "url"),
        ({"url": "ftp://a.example"}, "url"),
        ({"url": "http://u:p@a.example"}, "url"),
        ({"url": "http://a.example", "headers": {"Authorization": "Bearer x"}}, "headers.Authorization"),
        ({"url": "http://a.example", "headers": {"Mcp-Session-Id": "x"}}, "headers.Mcp-Session-Id"),
        ({"url": "http://a.example", "timeout_seconds": 0}, "timeout_seconds"),
        ({"url": "http://a.example", "other": 1}, "other"),
    ],
)
async def test_a_server_that_cannot_be_asked_is_refused_with_the_field(
    served: Served, config: dict[str, Any], field: str
) -> None:
    body = {"name": "clerk", "capabilities": {"own": {"kind": "mcp_http", "config": config}}}
    answer = await served.client.post("agents", json=body)
    problem(answer, 422, "invalid_request", f"capabilities.own.config.{field}")


class Standing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(app, port=0, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        )
        self.listens = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()


@asynccontextmanager
async def over_http(server: MCPServer) -> AsyncGenerator[tuple[str, list[dict[str, str]]]]:
    """Its URL, and the headers of all that it is asked."""
    seen: list[dict[str, str]] = []
    standing = Standing(recording(server.streamable_http_app(), seen))
    task = asyncio.create_task(standing.serve())
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            await standing.listens.wait()
        port = standing.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/mcp", seen
    finally:
        standing.should_exit = True
        async with asyncio.timeout(BOUND_SECONDS):
            await task


def recording(app: ASGIApp, seen: list[dict[str, str]]) -> ASGIApp:
    async def record(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await app(scope, receive, send)

    return record


def new_pipe(directory: Path) -> Path:
    """A place for a server's process id; whoever reads it waits for that."""
    path = directory / "pid"
    os.mkfifo(path)
    return path


async def process(path: Path) -> int:
    async with asyncio.timeout(BOUND_SECONDS):
        return int(await asyncio.to_thread(path.read_text))
