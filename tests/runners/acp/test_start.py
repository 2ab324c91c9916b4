"""A program that does not come up ends its turn, and the error says what was wrong and how to mend it."""

import asyncio
import os
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.events import TurnFailed
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.runner_config.acp import AcpConfig, read_acp
from sojourn.domain.secret_reference import SecretReference
from sojourn.runners import program
from sojourn.runners.acp.process import CannotStart, start_program, variables_of
from tests.runners.acp.stage import AGENT, START, Stage
from tests.support.programs import gone, is_alive
from tests.worker.workplace import BOUND_SECONDS, until

GUARD = Path(program.__file__).with_name("guard.py")


async def failure(stage: Stage, *traits: str, config: Mapping[str, Json] | None = None) -> str:
    return await failure_of(stage, await stage.session(*traits, config=config))


async def failure_of(stage: Stage, session: SessionId) -> str:
    world = stage.world
    async with stage.working():
        await world.send(session, "say hello")
        await until(world, session, "turn.failed")
    (failed,) = await world.said(session, TurnFailed)
    assert "turn.completed" not in await world.types(session)
    return failed.error


async def test_a_ready_made_agent_that_is_not_installed_says_how_to_install_it(stage: Stage) -> None:
    stage.environment = {"PATH": "/nowhere"}
    assert await failure(stage, config={"agent": "opencode"}) == (
        "OpenCode is not installed here: opencode is not on the server's PATH. Install it: npm install -g opencode-ai"
    )


async def test_a_program_that_ends_before_it_is_ready_is_quoted(stage: Stage) -> None:
    error = await failure(stage, "exit")
    assert "ended with status 1 before it was ready: no licence found" in error


async def test_a_program_that_speaks_another_version_of_the_protocol_is_said_to(stage: Stage) -> None:
    assert "it speaks version 2 of the protocol, and this server 1" in await failure(stage, "newer")


async def test_a_program_that_does_not_answer_is_given_up_in_its_time(stage: Stage) -> None:
    error = await failure(stage, "mute", config={"start_seconds": 3})
    assert "did not get ready within 3 s" in error
    assert "start_seconds" in error


async def test_a_program_that_wants_a_login_is_said_to(stage: Stage) -> None:
    assert "wants to be logged in first" in await failure(stage, "login")


async def test_a_program_that_wants_a_login_is_logged_in_with_the_key_that_it_has(
    stage: Stage, tmp_path: Path
) -> None:
    command = shlex.join([sys.executable, "-c", START, str(AGENT), "key-login"])
    (tmp_path / "codex-acp").write_text(f"#!/bin/sh\nexec {command}\n")
    (tmp_path / "codex-acp").chmod(0o755)
    stage.environment = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    error = await failure(stage, config={"agent": "codex"})
    assert "wants to be logged in first" in error
    stage.environment = {**stage.environment, "OPENAI_API_KEY": "sk-of-the-server"}
    session = await stage.session(config={"agent": "codex"})
    async with stage.working():
        await stage.world.send(session, "say hello")
        await until(stage.world, session, "turn.completed")


async def test_a_model_that_the_program_does_not_have_is_named(stage: Stage) -> None:
    world = stage.world
    session = await stage.session(spec={"model": "opus"})
    async with stage.working():
        await world.send(session, "say hello")
        await until(world, session, "turn.failed")
    (failed,) = await world.said(session, TurnFailed)
    assert "lets no model be chosen" in failed.error


def test_a_program_gets_the_common_variables_and_its_own_and_none_of_the_servers() -> None:
    environment = {"PATH": "/bin", "SOJOURN_SECRET_KEY": "s", "AWS_SECRET": "s", "OPENAI_API_KEY": "k"}
    assert variables_of(AcpConfig(agent="codex"), environment) == {"PATH": "/bin", "OPENAI_API_KEY": "k"}
    own = AcpConfig(command=("x",), env={"PLAIN": "text", "KEY": "env:AWS_SECRET"})
    assert variables_of(own, environment) == {"PATH": "/bin", "PLAIN": "text", "KEY": "s"}
    for name in ("SOJOURN_SECRET_KEY", "MISSING"):
        with pytest.raises(CannotStart, match=name):
            variables_of(AcpConfig(command=("x",), env={"KEY": f"env:{name}"}), environment)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({}, "agent"),
        ({"agent": "vi"}, "agent"),
        ({"agent": "codex", "command": ["x"]}, "agent"),
        ({"command": []}, "command"),
        ({"command": "x"}, "command"),
        ({"command": ["x", 1]}, "command"),
        ({"agent": "codex", "colour": "red"}, "colour"),
        ({"agent": "codex", "cwd": "here"}, "cwd"),
        ({"agent": "codex", "env": {"A=B": "c"}}, "env"),
        ({"agent": "codex", "env": {"A": 1}}, "env.A"),
        ({"agent": "codex", "env": {"A": "secret://a b"}}, "env.A"),
        ({"agent": "codex", "env": {"A": "secret://"}}, "env.A"),
        ({"agent": "codex", "resume": "maybe"}, "resume"),
        ({"agent": "codex", "start_seconds": 0}, "start_seconds"),
        ({"agent": "codex", "idle_seconds": True}, "idle_seconds"),
    ],
)
def test_a_configuration_that_no_turn_could_run_with_is_refused(config: dict[str, Json], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_acp(config, allow_commands=True)
    assert refused.value.field == f"runner_config.{field}"


@pytest.mark.parametrize(
    "config",
    [
        {"command": ["sh"]},
        {"agent": "codex", "env": {}},
        {"agent": "codex", "env": {"OPENAI_API_KEY": "plain"}},
        {"agent": "codex", "env": {"OPENAI_BASE_URL": "secret://a"}},
        {"agent": "codex", "env": {"OPENAI_API_KEY": "secret://a", "LD_PRELOAD": "secret://b"}},
        {"agent": "goose", "env": {"OPENAI_API_KEY": "secret://a"}},
        {"agent": "vi", "env": {"OPENAI_API_KEY": "secret://a"}},
        {"agent": "codex", "cwd": "/"},
    ],
)
def test_what_is_as_good_as_a_command_needs_the_servers_leave(config: dict[str, Json]) -> None:
    with pytest.raises(InvalidRequest, match="allow_commands"):
        read_acp(config, allow_commands=False)
    assert read_acp({"agent": "codex"}, allow_commands=False) == AcpConfig(agent="codex")


def test_what_a_ready_made_agent_is_logged_in_with_is_referred_to_without_the_servers_leave() -> None:
    config: dict[str, Json] = {"agent": "codex", "env": {"OPENAI_API_KEY": "secret://openai"}}
    read = read_acp(config, allow_commands=False)
    assert read.env == {"OPENAI_API_KEY": SecretReference("secret", "openai")}


async def test_a_program_is_started_with_a_secret_that_its_errors_do_not_repeat(stage: Stage) -> None:
    world, secret = stage.world, "sk-very-secret"
    await world.services.vault.put(world.org, "acme", secret)
    for trait in ("leak", "leak-login"):
        session = await stage.session(trait, config={"env": {"ACME_KEY": "secret://acme"}})
        # The program said it, so it had it.
        assert re.search(r"the key is \*+\.", await failure_of(stage, session))
        assert secret not in repr(await world.log(session))


async def test_a_secret_that_is_not_stored_fails_the_turn_by_its_name(stage: Stage) -> None:
    error = await failure(stage, config={"env": {"ACME_KEY": "secret://acme"}})
    assert error == "The agent's variable ACME_KEY cannot be set: There is no secret secret://acme."


async def test_a_secret_that_is_cut_off_leaves_nothing_of_it_in_a_complaint(tmp_path: Path) -> None:
    secret = "s3cret-" * 40
    script = f'printf "%s\\n" "$KEY" >&2; printf "%{program.COMPLAINT_BYTES - 100}s\\n" end >&2; exit 1'
    config = AcpConfig(command=("sh", "-c", script))
    started = await start_program(config, tmp_path, {"PATH": os.environ["PATH"]}, {"KEY": secret})
    async with asyncio.timeout(BOUND_SECONDS):
        await started.ended()
    assert "end" in started.complaint
    assert "s3cret" not in started.complaint
    await started.kill()


async def test_nothing_that_a_program_starts_outlives_it(tmp_path: Path) -> None:
    # One child in the program's own group, and one in a session of its own, as shells of agents are.
    script = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; cat; exit 3"
    config = AcpConfig(command=("sh", "-c", script))
    program = await start_program(config, tmp_path, {"PATH": os.environ["PATH"]}, {})
    async with asyncio.timeout(BOUND_SECONDS):
        children = [int(await program.reader.readline()) for _ in range(2)]
        assert all(is_alive(child) for child in children)
        await program.kill()
    assert not any(is_alive(child) for child in children)


async def test_nothing_that_a_program_starts_outlives_the_server_that_is_killed() -> None:
    """The server's end of the pipe is closed by nobody but the kernel."""
    script = "setsid sleep 1000 & echo $!; cat"
    server = f"""
import os, subprocess, sys
hold, leash = os.pipe()
guard = subprocess.Popen(
    [sys.executable, "-I", "-S", {str(GUARD)!r}, str(hold), "sh", "-c", {script!r}],
    pass_fds=[hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
)
print(guard.pid, guard.stdout.readline().decode().strip(), flush=True)
os.kill(os.getpid(), 9)
"""
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", server, stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout is not None
    async with asyncio.timeout(BOUND_SECONDS):
        guard, child = map(int, (await killed.stdout.readline()).split())
        await killed.wait()
        for pid in (guard, child):
            await gone(pid)
