"""Agents with the capability `shell`: its commands on the session's files, its rules, and where it is refused."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from sojourn.client import Client, Event
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import SessionId
from sojourn.runners.model.shell import Shell
from sojourn.runners.model.tools import ToolFailed
from sojourn.runners.shell.archive import END, packed
from sojourn.runners.shell.probe import find_sandbox
from sojourn.runners.shell.sandbox import Sandbox
from sojourn.worker.journal import TurnJournal
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.client.worker import WorkerProcess
from tests.native.asserting import problem, value
from tests.runners.http.sessions import ended, more, new_session, said, until
from tests.runners.shell.test_sandbox import processes
from tests.support.world import World
from tests.web.served import Served, open_served


@pytest.fixture
async def ready(tmp_path: Path) -> Sandbox:
    found, missing = await find_sandbox(os.environ, tmp_path)
    if found is None:
        pytest.skip(f"no command can be run on this machine: {missing}")
    return found


@pytest.fixture
async def served(tmp_path: Path, ready: Sandbox) -> AsyncGenerator[Served]:
    assert ready.name
    async with open_served(tmp_path, default_model="sim/script", allow_shell=True) as served:
        yield served


def calling(*commands: str, **arguments: Any) -> str:
    calls = [{"call": {"name": "shell", "arguments": {"command": each, **arguments}}} for each in commands]
    return json.dumps([*calls, {"say": "done"}])


async def new(served: Served, files: Mapping[str, str], **agent: Any) -> SessionId:
    body = {"name": "smith", "capabilities": {"shell": {"kind": "shell"}}, **agent}
    value(await served.client.post("agents", json=body), 201)
    session = await new_session(served, "smith")
    for path, text in files.items():
        place = f"sessions/{session}/files/content"
        assert (await served.client.put(place, params={"path": path}, content=text)).is_success
    return session


async def test_what_a_command_changes_among_the_files_is_in_the_session_and_in_its_log(
    served: Served,
) -> None:
    session = await new(served, {"a.txt": "one\n", "b/c.txt": "two\n", "same.txt": "same\n", "d": "file\n"})
    await more(
        served,
        session,
        calling(
            "echo more >> a.txt; mv b e; rm d; mkdir d; echo below > d/f; touch same.txt; echo x > /tmp/x; pwd; exit 4",
            "cat a.txt e/c.txt d/f; ls /tmp",
        ),
    )
    items = await ended(served, session)
    first, second = (each["output"] for each in said(items, "tool.completed"))
    assert first.startswith("exit code 4\n--- stdout\n/work\n--- files written\n")
    assert first.endswith("--- files deleted\nb/c.txt\nd")
    assert second == "exit code 0\n--- stdout\none\nmore\ntwo\nbelow"
    turn = said(items, "file.written")[4:]
    assert sorted(each["path"] for each in turn) == ["a.txt", "d/f", "e/c.txt"]
    assert sorted(each["path"] for each in said(items, "file.deleted")) == ["b/c.txt", "d"]
    shown = await served.client.get(f"sessions/{session}/files/content", params={"path": "d/f"})
    assert shown.text == "below\n"


async def test_a_file_that_may_not_be_changed_stays_and_the_model_is_told(served: Served) -> None:
    session = await new(served, {})
    place = f"sessions/{session}/files/content"
    assert (await served.client.put(place, params={"path": "r", "readonly": "true"}, content="x")).is_success
    await more(served, session, calling("echo y > r; printf '%5000000d' 0 > big"))
    [result] = said(await ended(served, session), "tool.completed")
    assert "--- files not kept\nr: A file that is read-only cannot be changed." in result["output"]
    assert "big: it is larger than 4194304 bytes" in result["output"]
    assert (await served.client.get(place, params={"path": "r"})).text == "x"


async def test_commands_of_one_answer_run_one_behind_the_other(served: Served) -> None:
    session = await new(served, {"n": "0\n"})
    count = "n=$(cat n); sleep 0.1; echo $((n + 1)) > n"
    body = {"call": [{"name": "shell", "arguments": {"command": count}} for _ in range(3)]}
    await more(served, session, json.dumps([body, {"say": "done"}]))
    assert len(said(await ended(served, session), "tool.completed")) == 3
    shown = await served.client.get(f"sessions/{session}/files/content", params={"path": "n"})
    assert shown.text == "3\n"


async def test_a_command_that_does_not_end_in_its_time_changes_nothing(served: Served) -> None:
    session = await new(served, {})
    await more(served, session, calling("echo x > made; sleep 1000", timeout_seconds=1))
    items = await ended(served, session)
    [result] = said(items, "tool.completed")
    assert (result["status"], result["output"]) == (
        "error",
        "The command was killed, and nothing is changed: it did not end within 1 s.",
    )
    assert not said(items, "file.written")


async def test_an_interrupt_kills_the_command(served: Served) -> None:
    word = f"{os.getpid()}7010"
    session = await new(served, {})
    await more(served, session, calling(f"sleep {word}"))
    await until(served, session, "tool.started")
    stop = {"delivery": "interrupt", "content": "[]"}
    assert (await served.client.post(f"sessions/{session}/inputs", json=stop)).status_code == 202
    items = await until(served, session, "turn.cancelled")
    assert said(items, "tool.completed")[0]["status"] == "cancelled"
    assert not processes(word)


async def test_a_rule_has_somebody_asked_before_a_command_runs(served: Served) -> None:
    session = await new(served, {}, tool_policy={"shell": "ask"})
    await more(served, session, calling("echo x > made"))
    asked = said(await until(served, session, "ask.opened"), "ask.opened")[0]
    assert asked["prompt"]["arguments"] == {"command": "echo x > made"}
    decision = await served.client.post(
        f"sessions/{session}/asks/{asked['ask']}/decide", json={"decision": "allow"}
    )
    assert decision.is_success, decision.text
    assert [each["path"] for each in said(await ended(served, session), "file.written")] == ["made"]


async def test_the_catalogue_says_which_sandbox_there_is(served: Served, ready: Sandbox) -> None:
    kind = value(await served.client.get("capabilities/shell"))
    assert (kind["available"], kind["tools"]) == (True, ["shell"])
    assert kind["note"] == f"The sandbox of this server is {ready.name}."


async def test_it_is_refused_unless_the_setting_allows_it_and_a_sandbox_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"name": "smith", "tools": ["shell"]}
    async with open_served(tmp_path / "off", default_model="sim/script") as served:
        refused = problem(await served.client.post("agents", json=body), 422, "invalid_request", "tools.0")
        assert "SOJOURN_ALLOW_SHELL" in refused["detail"]
    monkeypatch.setenv("PATH", str(tmp_path))
    async with open_served(tmp_path / "none", default_model="sim/script", allow_shell=True) as served:
        refused = problem(await served.client.post("agents", json=body), 422, "invalid_request", "tools.0")
        assert "install bubblewrap" in refused["detail"] or "on Linux" in refused["detail"]
        assert not value(await served.client.get("capabilities/shell"))["available"]


@pytest.mark.usefixtures("ready")
async def test_the_sandbox_of_a_worker_elsewhere_runs_the_command(tmp_path: Path) -> None:
    settings = {"SOJOURN_ALLOW_SHELL": "true"}
    async with (
        ServerProcess(tmp_path / "data", SOJOURN_WORKER_CAPACITY="0", **settings) as server,
        Client(server.url, server.key) as client,
    ):
        key = (await client.create_key("w", "worker")).token
        assert key is not None
        agent = await client.create_agent(name="smith", tools=["shell"])
        session = (await client.create_session(agent=agent.id)).id
        await client.write_file(session, "old", b"x")
        async with WorkerProcess(server, key, **settings):
            await client.send(session, calling("echo new > made; rm old"))
            [told] = await results(client, session)
        assert told == "exit code 0\n--- files written\nmade\n--- files deleted\nold"
        assert [file.path async for file in client.list_files(session)] == ["made"]


async def test_where_no_sandbox_is_a_call_fails_and_says_why(world: World) -> None:
    """An agent from the time when there was one, or a worker elsewhere without."""
    journal = TurnJournal(world.services.turns, await world.claimed(), Conversation())
    [tool] = Shell(None, "set this").tools
    with pytest.raises(ToolFailed, match="No command is run here: set this"):
        await tool.run(journal, {"command": "true"})


async def results(client: Client, session: UUID) -> list[str]:
    """What the tools of a turn said."""
    outputs: list[str] = []
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(session)) as items:
        async for item in items:
            if isinstance(item, Event) and item.type == "tool.completed":
                outputs.append(str(item.data["output"]))
            if isinstance(item, Event) and item.type == "turn.completed":
                break
    return outputs


async def test_paths_that_a_sandbox_tells_of_stay_in_the_session(world: World, tmp_path: Path) -> None:
    """As if a command had taken the place of what tells of its files."""
    names = ["../above", "/etc/absolute", "a/../../b", "with\nline", "./dotted", "good"]
    listing = b"".join(b"1 " + name.encode() + b"\0" for name in names)
    path = tmp_path / "said"
    path.write_bytes(
        b"ready\n" + listing + b"\0" + b"".join(packed(name, b"x") for name in names) + END + END
    )
    liar = Sandbox("liar", lambda _words: ("sh", "-c", f"cat > /dev/null; cat {path} >&3"))
    [tool] = Shell(liar).tools
    assert not tool.repeatable
    turn = await world.claimed()
    output = await tool.run(TurnJournal(world.services.turns, turn, Conversation()), {"command": "true"})
    assert output.count("it is no path of a file here") == len(names) - 1
    assert [
        file.path for file in await world.services.files.list(world.org, turn.session, recursive=True)
    ] == ["good"]
