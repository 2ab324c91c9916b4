import sys
from pathlib import Path
from typing import Any

import pytest

from sojourn import __version__
from sojourn.cli import COMMANDS
from sojourn.cli.demo_model import PROVIDERS
from sojourn.client import Client
from tests.cli.command import run, run_program
from tests.client.server import ServerProcess, free_port

HEAVY = ("asyncio", "httpx2", "msgspec", "rich", "sqlite3", "starlette", "uvicorn")


async def test_the_help_names_every_command_and_imports_nothing_heavy() -> None:
    helped = await run("--help")
    assert helped.status == 0
    assert [name for name in COMMANDS if f"\n  {name}" in helped.out] == list(COMMANDS)
    timed = await run_program(sys.executable, "-X", "importtime", "-m", "sojourn", "--help")
    report = [line for line in timed.err.splitlines() if line.startswith("import time:")]
    imported = {line.rpartition("|")[2].strip() for line in report}
    assert [name for name in HEAVY if name in imported] == []
    micros = sum(int(line.split("|")[0].removeprefix("import time:")) for line in report[1:])
    print(f"importing for `sojourn --help` took {micros / 1000:.0f} ms")


@pytest.mark.parametrize("name", list(COMMANDS))
async def test_every_command_explains_itself(name: str) -> None:
    helped = await run(name, "--help")
    assert helped.status == 0
    assert helped.out.startswith(f"Usage: sojourn {name}")
    assert "--json" in helped.out or "Commands:" in helped.out


async def test_the_version_is_the_packages() -> None:
    assert (await run("--version")).out == f"sojourn {__version__}\n"


async def test_without_a_server_a_command_says_how_to_start_one(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    refused = await run("sessions", "--url", url, "--key", "k", cwd=tmp_path)
    assert refused.status == 1
    assert refused.out == ""
    assert f"No Sojourn server answers at {url}" in refused.err
    assert "sojourn serve" in refused.err


async def test_a_damaged_database_is_named_with_what_to_do_about_it(tmp_path: Path) -> None:
    (tmp_path / "sojourn.db").write_bytes(b"not a database " * 1000)
    refused = await run("serve", "--data-dir", str(tmp_path), "--port", str(free_port()))
    assert refused.status == 1
    assert "sojourn.db is damaged or no database" in refused.err
    assert "backup" in refused.err
    assert "Traceback" not in refused.err


async def test_without_a_key_a_command_says_where_to_get_one(tmp_path: Path) -> None:
    refused = await run("sessions", cwd=tmp_path)
    assert refused.status == 1
    assert "There is no key" in refused.err
    assert "SOJOURN_KEY" in refused.err


@pytest.mark.parametrize("url", ["localhost:3013", "ftp://localhost", "http://", "http://localhost:99999"])
async def test_an_address_that_cannot_be_one_is_refused_before_it_is_asked(url: str, tmp_path: Path) -> None:
    refused = await run("sessions", "--url", url, "--key", "k", cwd=tmp_path)
    assert refused.status == 1
    assert f"'{url}' is no address of a server" in refused.err


async def test_a_refused_key_is_named_by_its_source(server: ServerProcess) -> None:
    refused = await run("sessions", "--url", server.url, SOJOURN_KEY="wrong")
    assert refused.status == 1
    assert "the key from SOJOURN_KEY" in refused.err


async def test_sessions_are_listed_as_a_table_and_as_json(server: ServerProcess) -> None:
    async with Client(server.url, server.key) as client:
        first = await client.create_session(title="A \x1b[31mred\x1b[0m title", tags=["x"])
        second = await client.create_session(title="Another")
        await client.end_session(second.id, "failed")
    where = ("--data-dir", server.data_dir)
    table = await run("sessions", *where)
    assert table.status == 0
    header, newest, oldest = table.out.splitlines()
    assert header.split() == ["id", "state", "title", "agent", "turns", "tokens", "cost", "active"]
    assert newest.split()[:4] == [str(second.id), "●", "failed", "Another"]
    assert oldest.split()[:3] == [str(first.id), "●", "idle"]
    assert "\x1b" not in table.out
    listed = await run("sessions", "ls", "--json", *where)
    assert [found["id"] for found in listed.objects] == [str(second.id), str(first.id)]
    open_only = await run("sessions", "--status", "open", "--tag", "x", "--json", *where)
    assert [found["title"] for found in open_only.objects] == [first.title]


async def test_a_session_is_shown_forked_ended_and_deleted(server: ServerProcess) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session(title="Short-lived")
    where = ("--data-dir", server.data_dir)
    shown = await run("sessions", "show", "last", *where)
    assert f"id          {session.id}" in shown.out
    assert "title       Short-lived" in shown.out
    forked = await run("sessions", "fork", "last", "--at", "1", "--title", "Child", "--json", *where)
    child = forked.objects[0]
    assert (child["forked_from"], child["forked_seq"], child["title"]) == (str(session.id), 1, "Child")
    shown = await run("sessions", "show", child["id"], *where)
    assert f"fork of     {session.id} at event 1" in shown.out
    beyond = await run("sessions", "fork", child["id"], "--at", "99", *where)
    assert (beyond.status, beyond.out) == (1, "")
    assert "1 to 2" in beyond.err
    await run("sessions", "rm", child["id"], "--yes", *where)
    extended = await run("sessions", "extend", str(session.id), "60", *where)
    assert extended.out == f"extended ● idle {session.id} no end in sight\n"
    ended = await run("sessions", "end", str(session.id), "--reason", "done", "--json", *where)
    assert (ended.objects[0]["status"], ended.objects[0]["end_reason"]) == ("completed", "done")
    again = await run("sessions", "end", str(session.id), *where)
    assert (again.status, again.out) == (1, "")
    assert "cannot be ended" in again.err
    reopened = await run("sessions", "reopen", str(session.id), *where)
    assert reopened.out == f"reopened ● idle {session.id} no end in sight\n"
    unconfirmed = await run("sessions", "rm", str(session.id), *where)
    assert unconfirmed.status == 1
    assert "add --yes" in unconfirmed.err
    removed = await run("sessions", "rm", str(session.id), "--yes", *where)
    assert removed.out == f"deleted {session.id}\n"
    assert "There is no session" in (await run("sessions", "show", str(session.id), *where)).err


async def test_a_word_that_is_no_session_is_a_usage_error(tmp_path: Path) -> None:
    refused = await run("tail", "nonsense", cwd=tmp_path)
    assert refused.status == 2
    assert "sojourn sessions" in refused.err


def without_instants(line: str) -> str:
    seq, _, rest = line.strip().partition("  ")
    return f"{seq} {' '.join(rest.split()[1:])}"


async def test_the_log_is_printed_a_line_an_event(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    assert (await run("chat", "-m", "Hello", "--title", "T", *where)).out == "echo: Hello\n"
    printed = [without_instants(line) for line in (await run("tail", "last", *where)).out.splitlines()]
    started = printed.pop(3)
    assert started.startswith("4 turn.started attempt 1 · ")
    assert printed == [
        "1 session.created T · native",
        "2 input.received “Hello”",
        "3 turn.queued",
        "5 input.delivered before model call 1",
        "6 model.called call 1 · sim/script",
        "7 message.completed “echo: Hello”",
        "8 model.completed stop · 1 tokens in, 2 out · simulated",
        "9 turn.completed end_turn",
    ]
    rest = await run("tail", "last", "--after", "7", "--json", *where)
    assert [(found["seq"], found["type"]) for found in rest.objects] == [
        (8, "model.completed"),
        (9, "turn.completed"),
    ]


async def test_migrate_says_what_it_applied_and_then_that_nothing_is_left(tmp_path: Path) -> None:
    first = await run("migrate", "--json", "--data-dir", tmp_path)
    assert first.objects[0]["applied"]
    assert (await run("migrate", "--json", "--data-dir", tmp_path)).objects == [{"applied": []}]
    assert "nothing to apply" in (await run("migrate", "--data-dir", tmp_path)).out


async def test_migrate_leaves_a_file_that_a_server_owns_alone(server: ServerProcess) -> None:
    refused = await run("migrate", "--data-dir", server.data_dir)
    assert refused.status == 1
    assert "in use by another Sojourn process" in refused.err


async def test_the_demo_runs_to_its_end_with_a_simulated_model(tmp_path: Path) -> None:
    shown = await run("demo", "--model", "sim/echo", "--data-dir", tmp_path / "kept")
    assert (shown.status, shown.err) == (0, "")
    assert "> What is a log book?" in shown.out
    assert "echo: What is a log book?" in shown.out
    assert "17 events in one order without a gap, 2 questions, 2 answers" in shown.out
    assert "the answers are simulated" in shown.out
    assert f"--data-dir {tmp_path / 'kept'}" in shown.out
    printed = await run("demo", "--model", "sim/echo", "--json")
    assert [found["seq"] for found in printed.objects] == list(range(1, 18))


@pytest.mark.local
async def test_the_demo_shows_an_answer_of_a_real_model_through_a_killed_server(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    pytest.importorskip("xllamacpp", reason="the extra `local` is not installed")
    assert pytestconfig.cache is not None
    (tmp_path / "models").symlink_to(pytestconfig.cache.mkdir("models"))
    shown = await run("demo", "--model", "local/smollm2", "--data-dir", tmp_path)
    assert shown.status == 0, shown.err
    assert "2 questions, 2 answers, through a killed server" in shown.out
    assert shown.err.splitlines() == [
        "here the server is killed (SIGKILL), and started again",
        "server gone, reconnecting…",
        "server back, nothing was lost",
    ]


def test_the_demos_providers_offer_the_models_that_it_names() -> None:
    models = pytest.importorskip("pydantic_ai.models", reason="the extra `agents` is not installed")
    known: Any = models.KnownModelName.__value__.__args__
    assert [name for name in PROVIDERS.values() if name.replace("/", ":", 1) not in known] == []


async def test_an_organisations_policy_is_changed_limit_by_limit(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    changed = await run("org", "policy", "idle_timeout_seconds=600", "reopen=never", *where)
    assert "idle_timeout_seconds  600\nreopen                never\n" in changed.out
    back = await run("org", "policy", "idle_timeout_seconds=none", "--json", *where)
    assert back.objects[0]["policy"] == {"reopen": "never"}
    shown = await run("org", "show", *where)
    assert "reopen                never\n" in shown.out
    wrong = await run("org", "policy", "reopen=soon", *where)
    assert (wrong.status, wrong.out) == (1, "")
    assert "'soon' is no number of seconds" in wrong.err
