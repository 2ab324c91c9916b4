"""A real coding CLI is the agent of sessions: it answers, asks, is stopped and killed, and goes on."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sojourn.client import Client, Event
from sojourn.domain.events import (
    MessageCompleted,
    ProviderSessionLinked,
    ToolCompleted,
    ToolRequested,
    UsageRecorded,
)
from sojourn.service.asks import Verdict
from tests.cli.command import run
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.contract.everruns.sdk import CLIENT
from tests.runners.acp.endpoint import Call, Endpoint, Say, last_words, serving
from tests.runners.acp.opencode import environment, opencode_bin
from tests.runners.acp.stage import Stage, decide
from tests.runners.acp.test_recovery import kill_program
from tests.support.clock import HandClock
from tests.support.environments import interpreter_with
from tests.support.invariants import check_sqlite_file
from tests.support.node import FETCHES
from tests.support.programs import gone, working_in
from tests.support.world import SOMEBODY
from tests.worker.workplace import until

pytestmark = FETCHES

BOTO3 = """
import json, sys, boto3
client = boto3.client("bedrock-agentcore", endpoint_url=sys.argv[1], region_name="us-west-2",
    aws_access_key_id=sys.argv[2], aws_secret_access_key="not looked at")
answer = client.invoke_agent_runtime(
    agentRuntimeArn="arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/My_agent-a1B2c3D4e5",
    runtimeSessionId=sys.argv[3], payload=json.dumps({"prompt": sys.argv[4]}))
print(json.dumps(json.loads(answer["response"].read())))
"""
EVERRUNS = """
import asyncio, json, sys
from everruns_sdk import Everruns
async def main():
    client = Everruns(api_key=sys.argv[2], base_url=sys.argv[1] + "/api")
    session = "session_" + sys.argv[3].replace("-", "")
    stream = client.events.stream(session)
    await client.messages.create(session, sys.argv[4])
    said = ""
    async for event in stream:
        if event.type == "output.message.completed":
            said = json.dumps(event.data)
        if event.type == "turn.completed" and sys.argv[4] in said:
            break
    await stream.aclose()
    print(json.dumps(said))
asyncio.run(main())
"""


async def vendor(python: Path, script: str, server: ServerProcess, session: UUID, text: str) -> Any:
    """What a vendor's own client was told by the agent."""
    client = await asyncio.create_subprocess_exec(
        *(str(python), "-I", "-c", script, server.url, server.key, str(session), text),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, said = await client.communicate()
    assert client.returncode == 0, said.decode()
    return json.loads(out.splitlines()[-1])


async def told(client: Client, session: UUID, type: str, count: int = 1) -> list[dict[str, Any]]:
    """The data of the events of one type, once there are `count` of them."""
    found: list[dict[str, Any]] = []
    async with asyncio.timeout(BOUND_SECONDS):
        async for event in client.stream(session):
            if isinstance(event, Event) and event.type == type:
                found.append(event.data)
            if len(found) == count:
                break
    return found


async def test_it_answers_in_a_chat_and_through_two_dialects_and_goes_on_after_its_server_was_killed_in_a_turn(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    programs = await asyncio.to_thread(opencode_bin, pytestconfig)
    boto3 = await asyncio.to_thread(interpreter_with, "boto3==1.44.5", pytestconfig)
    everruns = await asyncio.to_thread(interpreter_with, CLIENT, pytestconfig)
    data = tmp_path / "data"
    async with serving() as endpoint:
        settings = environment(programs, tmp_path / "home", endpoint)
        async with ServerProcess(data, **settings) as server, Client(server.url, server.key) as client:
            added = await run("agents", "add", "opencode", "--data-dir", data, PATH=settings["PATH"])
            assert added.status == 0, added.err
            talked = await run(
                "chat", "--agent", "opencode", "--data-dir", data, stdin="hello from the chat\n"
            )
            assert (talked.status, talked.out) == (0, "echo: hello from the chat\n"), talked.err
            session = (await client.sessions_page(limit=1)).data[0].id
            assert "by boto3" in str(await vendor(boto3, BOTO3, server, session, "by boto3"))
            assert "by everruns" in str(await vendor(everruns, EVERRUNS, server, session, "by everruns"))

            gate = asyncio.Event()
            endpoint.steps = [
                Call((("bash", {"command": "echo one > one.txt", "description": "w"}),)),
                Say("half of it", gate),
            ]
            await client.send(session, "work")
            await asyncio.wait_for(endpoint.said_half.wait(), BOUND_SECONDS)
            (place,) = (data / "programs").glob("*/*")
            before = working_in(place.resolve())
            assert before
            await server.kill()
            # The guard ends them when the kernel closes the killed server's end of its pipe.
            async with asyncio.timeout(BOUND_SECONDS):
                for pid in before:
                    await gone(pid)
            endpoint.steps = [Say("the rest of it")]
            await server.start()
            await told(client, session, "turn.completed", 4)
            first, second = await told(client, session, "provider_session.linked", 2)
            assert first["provider_session"] == second["provider_session"]
            assert second["reason"] is None
            said = [one["text"] for one in await told(client, session, "message.completed", 5)]
            assert said[-1] == "the rest of it"
            results = await told(client, session, "tool.completed")
            assert [(one["name"], one["status"]) for one in results] == [("bash", "done")]
    # The program knew what was said before the crash, and is told to go on rather than asked the same again.
    assert last_words(endpoint.requests[-1]).startswith("You were interrupted")
    assert any("hello from the chat" in json.dumps(message) for message in endpoint.requests[-1]["messages"])
    assert await check_sqlite_file(data / "sojourn.db") == []


async def test_its_permissions_are_approvals_and_it_is_stopped_and_killed_and_goes_on(
    stage: Stage, clock: HandClock, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    world = stage.world
    programs = await asyncio.to_thread(opencode_bin, pytestconfig)
    async with serving() as endpoint:
        stage.environment = environment(programs, tmp_path / "home", endpoint, bash="ask", edit="ask")
        session = await stage.session(config={"agent": "opencode"})
        async with stage.working():
            endpoint.steps = [
                Call(
                    (
                        ("bash", {"command": "echo out > out.txt; cat out.txt", "description": "w"}),
                        ("write", {"filePath": "notes.txt", "content": "kept"}),
                    ),
                    "I begin.",
                ),
                Say("I am done."),
            ]
            await world.send(session, "do both")
            asked: dict[str, object] = {}
            for count in (1, 2):
                # It puts its questions one by one.
                await until(world, session, "ask.opened", count)
                (ask,) = await world.services.asks.list(world.org, session, True, None, 10)
                name = str(ask.prompt["name"])
                asked[name] = ask.prompt["title"]
                await decide(world, session, Verdict("allow" if name == "write" else "deny"))
            await until(world, session, "turn.completed")
            results = {one.name: one.status for one in await world.said(session, ToolCompleted)}
            assert results == {"bash": "error", "write": "done"}
            assert asked["bash"] == "echo out > out.txt; cat out.txt"
            place = stage.place(session)
            assert (place / "notes.txt").read_text() == "kept"
            assert not (place / "out.txt").exists()
            files = {file.path for file in await world.store.reads.list_files(world.org, session)}
            assert "notes.txt" in files
            assert (await world.said(session, UsageRecorded))[0].usage.input_tokens > 0

            await stopped(stage, session, endpoint)
            await killed(stage, session, endpoint, clock)
        links = await world.said(session, ProviderSessionLinked)
        assert len({link.provider_session for link in links}) == 1
        assert len(links) == 2
        assert [one.name for one in await world.said(session, ToolRequested)] == ["bash", "write"]


async def stopped(stage: Stage, session: Any, endpoint: Endpoint) -> None:
    """A cancelled turn stops the program's model call, and the same program answers the next turn."""
    world, gate = stage.world, asyncio.Event()
    endpoint.said_half.clear()
    endpoint.steps = [Say("never more than half of this", gate)]
    turn = (await world.send(session, "stop me")).turn
    await asyncio.wait_for(endpoint.said_half.wait(), BOUND_SECONDS)
    await world.services.turns.cancel(world.org, session, turn, SOMEBODY)
    await world.send(session, "still there?")
    await until(world, session, "turn.completed", 2)
    assert (await world.said(session, MessageCompleted))[-1].text == "echo: still there?"
    assert len(await world.said(session, ProviderSessionLinked)) == 1


async def killed(stage: Stage, session: Any, endpoint: Endpoint, clock: HandClock) -> None:
    """A program that is killed in its answer is started again, and asked again: it had called no tool."""
    world, gate = stage.world, asyncio.Event()
    endpoint.said_half.clear()
    endpoint.steps = [Say("half and half of this", gate), Say("whole")]
    await world.send(session, "kill it")
    await asyncio.wait_for(endpoint.said_half.wait(), BOUND_SECONDS)
    kill_program(stage, session)
    await until(world, session, "turn.retried")
    clock.advance(10)
    await until(world, session, "turn.completed", 3)
    assert (await world.said(session, MessageCompleted))[-1].text == "whole"
