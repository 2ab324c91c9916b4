"""What the documentation tells a reader to type is typed here, against a server of its own."""

import asyncio
import json
import os
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from scripts.docs_pages.__main__ import ROOT
from sojourn.client import Client, DetailedRule, MessageEnded, TurnClosed
from tests.client.server import BOUND_SECONDS, ServerProcess, environment

PORT = "http://127.0.0.1:3013"


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess, None]:
    """With its data where a server without options has it, seen from `tmp_path`."""
    async with ServerProcess(tmp_path / "sojourn-data", model="sim/echo") as server:
        yield server


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_requests_of_the_readme_make_a_session_and_follow_its_turn(
    server: ServerProcess, tmp_path: Path
) -> None:
    (script,) = blocks("README.md", "sh")
    assert PORT in script
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script.replace(PORT, server.url)),
        cwd=tmp_path,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert shell.stdout is not None
    said = ""
    async with asyncio.timeout(BOUND_SECONDS):
        # The last request follows the log until somebody ends it.
        while not ("event: turn.completed\n" in said and "event: caught_up\n" in said):
            line = await shell.stdout.readline()
            assert line, said
            said += line.decode()
    os.killpg(shell.pid, 15)
    await shell.wait()
    session = json.JSONDecoder().raw_decode(said)[0]
    assert (session["title"], session["created"]) == ("Hello", True)
    assert "event: session.created" in said
    assert '"text":"echo: What is a log book?"' in said


async def test_the_program_of_the_readme_prints_an_answer(server: ServerProcess) -> None:
    (program,) = blocks("README.md", "python")
    python = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        env=environment(SOJOURN_URL=server.url, SOJOURN_KEY=server.key),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, _ = await python.communicate()
    assert out.decode() == "echo: What is a log book?\n[completed]\n"


async def test_a_backup_taken_from_a_running_server_has_its_sessions(
    server: ServerProcess, tmp_path: Path
) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session(title="Kept")
        assert [part async for part in client.ask(session.id, "hello") if isinstance(part, TurnClosed)]
        (backup,) = blocks("docs/architecture.md", "sh")
        shell = await asyncio.create_subprocess_exec("bash", "-ec", backup, cwd=tmp_path)
        assert await shell.wait() == 0
        events = [event.id for event in (await client.events_page(session.id)).data]
    restored = tmp_path / "restored"
    restored.mkdir(mode=0o700)
    (tmp_path / "backup.db").rename(restored / "sojourn.db")
    async with ServerProcess(restored, model="sim/echo") as other, Client(other.url, server.key) as client:
        assert (await client.get_session(session.id)).title == "Kept"
        assert [event.id for event in (await client.events_page(session.id)).data] == events
        assert [part async for part in client.ask(session.id, "again") if isinstance(part, TurnClosed)]


def test_the_database_file_alone_is_no_backup(tmp_path: Path) -> None:
    """Why the documentation says so: what was committed last is in the file beside it."""
    writer = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t (x)")
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    assert sqlite3.connect(tmp_path / "b.db").execute("SELECT * FROM sqlite_schema").fetchall() == []
    writer.close()


async def carried_out(script: str, server: ServerProcess, directory: Path) -> str:
    """What a script of the documentation prints, which must come to its end without a failing command."""
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script.replace(PORT, server.url)),
        cwd=directory,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, _ = await shell.communicate()
    assert shell.returncode == 0, out.decode()
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_requests_of_a_worker_by_hand_answer_a_message(
    server: ServerProcess, tmp_path: Path
) -> None:
    (script,) = blocks("docs/workers.md", "sh")
    printed = await carried_out(script, server, tmp_path)
    assert '"text":"A book of what happened."' in printed
    assert '"type":"turn.completed"' in printed


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_requests_about_control_order_stop_decide_limit_and_reopen(
    server: ServerProcess, tmp_path: Path
) -> None:
    printed = await carried_out("".join(blocks("docs/control.md", "sh")), server, tmp_path)
    assert '"action":"pause"' in printed
    async with Client(server.url, server.key) as client:
        [session] = [one async for one in client.list_sessions()]
        assert (session.status, session.policy.max_turn_seconds, session.expires_by) == ("open", 600, "idle")
        types = [event.type for event in (await client.events_page(session.id, limit=200)).data]
        expected = ["input.edited", "input.moved", "input.withdrawn", "turn.cancelled"]
        expected += ["ask.decided", "ask.decided", "budget.paused", "budget.resumed"]
        expected += ["session.ended", "session.reopened"]
        assert [type for type in types if type in expected] == expected
        assert session.overlay is not None
        rule = session.overlay.tool_policy["current_time"]
        assert isinstance(rule, DetailedRule)
        assert rule.rule == "allow"


@pytest.mark.parametrize("name", ["agent.py", "agent_sync.py"])
async def test_the_agent_of_the_examples_answers_and_goes_on_after_a_restart(
    server: ServerProcess, name: str
) -> None:
    async with Client(server.url, server.key) as client:
        agent = await client.create_agent(name="counter", runner="external")
        key = await client.create_key("counter", "worker")
        assert key.token is not None
        example = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "examples" / name)),
            env=environment(SOJOURN_URL=server.url, SOJOURN_KEY=key.token),
        )
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                session = await client.create_session(agent=agent.id)
                for _ in range(2):
                    said = [part async for part in client.ask(session.id, "one two three")]
                    assert isinstance(said[-1], TurnClosed)
                    assert said[-1].status == "completed"
                    assert [part.text for part in said if isinstance(part, MessageEnded)] == [
                        "one two three ",
                        "That was 3 words.",
                    ]
                    await server.kill()
                    await server.start()
                assert await client.read_file(session.id, "count.txt") == b"3"
        finally:
            example.send_signal(signal.SIGINT)
            async with asyncio.timeout(BOUND_SECONDS):
                status = await example.wait()
        # asyncio has the interrupt end the process as one; the other lets it end the loop only.
        assert status == (0 if name == "agent_sync.py" else -signal.SIGINT)
