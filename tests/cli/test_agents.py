"""Agents by command: programs of this machine become agents of the server."""

from pathlib import Path

import pytest

from sojourn.client import ApiError, Client
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS
from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_available_tells_what_is_installed_and_how_to_install_the_rest(tmp_path: Path) -> None:
    here = tmp_path / "goose"
    here.write_text("#!/bin/sh\n")
    here.chmod(0o755)
    shown = await run("agents", "available", "--json", PATH=str(tmp_path))
    assert {one["name"]: one["installed"] for one in shown.objects} == {
        name: str(here) if name == "goose" else None for name in CLI_AGENTS
    }
    assert "npm install -g opencode-ai" in (await run("agents", "available", PATH=str(tmp_path))).out


async def test_a_program_becomes_an_agent_once_and_is_listed(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    added = await run("agents", "add", "codex", "--resume", "strict", "--json", *where)
    (agent,) = added.objects
    assert (agent["name"], agent["runner"]) == ("codex", "acp")
    assert agent["runner_config"] == {"agent": "codex", "resume": "strict"}
    again = await run("agents", "add", "codex", *where)
    assert again.status == 1
    assert "There is an agent codex already." in again.err
    assert (await run("agents", "add", "codex", "--name", "other", *where)).status == 0
    listed = (await run("agents", *where)).out.splitlines()
    assert [line.split() for line in listed if "acp" in line] == [
        ["codex", "acp", "codex"],
        ["other", "acp", "codex"],
    ]


async def test_a_command_of_a_clients_own_is_refused_by_a_server_that_does_not_allow_it(
    server: ServerProcess,
) -> None:
    async with Client(server.url, server.key) as client:
        with pytest.raises(ApiError, match="allow_commands") as refused:
            await client.create_agent(name="mine", runner="acp", runner_config={"command": ["sh"]})
    assert refused.value.status == 422
