import json
import re
import stat
from pathlib import Path
from urllib.parse import urlsplit

from sojourn.client import Client
from tests.cli.command import run, terminal
from tests.client.server import ServerProcess


async def test_the_first_start_shows_its_key_once_and_what_to_try(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    serve = ("serve", "--port", "0", "--data-dir", data_dir)
    async with terminal(*serve) as shown:
        await shown.until("sojourn chat", "sojourn sessions", "curl -H", "/sojourn/v1/sessions\n")
        first = shown.text
        shown.type("\x03")
        assert await shown.ended() == 0
    key = (data_dir / "cli-key").read_text().strip()
    assert first.count(key) == 1
    async with terminal(*serve) as shown:
        await shown.until("curl -H", "/sojourn/v1/sessions\n")
        assert key not in shown.text
        url = re.search(r"http://\S+", shown.text)
        assert url is not None
        async with Client(url.group(), key) as client:
            assert (await client.me()).role == "admin"


async def test_what_a_start_leaves_in_the_data_directory_is_its_owners_only(server: ServerProcess) -> None:
    for name in ("cli-key", "cli-url"):
        assert stat.S_IMODE((server.data_dir / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    assert (server.data_dir / "cli-url").read_text().strip() == server.url


async def test_a_port_in_use_is_named_with_the_way_out(server: ServerProcess, tmp_path: Path) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    refused = await run("serve", "--port", str(port), "--data-dir", tmp_path / "other")
    assert (refused.status, refused.out) == (1, "")
    assert f"Something listens on 127.0.0.1:{port} already" in refused.err
    assert f"sojourn serve --port {port + 1}" in refused.err


async def test_a_data_directory_in_use_is_named_with_the_way_out(server: ServerProcess) -> None:
    refused = await run("serve", "--port", "0", "--data-dir", server.data_dir)
    assert (refused.status, refused.out) == (1, "")
    assert "in use by another Sojourn process" in refused.err
    assert f"sojourn chat --data-dir {server.data_dir}" in refused.err
    assert "Traceback" not in refused.err


async def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    refused = await run("serve", cwd=tmp_path, SOJOURN_PORT="many")
    assert refused.status == 1
    assert "port" in refused.err
    assert "'many'" in refused.err


async def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "sojourn.toml").write_text('default_model = "sim/file"\nport = 0\ndata_dir = "from-file"\n')
    async with terminal("serve", cwd=tmp_path) as shown:
        await shown.until("SQLite in from-file", "sim/file")
    async with terminal("serve", cwd=tmp_path, SOJOURN_DEFAULT_MODEL="sim/environment") as shown:
        await shown.until("SQLite in from-file", "sim/environment")
    flags = ("--default-model", "sim/flag", "--data-dir", "from-flag")
    async with terminal("serve", *flags, cwd=tmp_path, SOJOURN_DEFAULT_MODEL="sim/environment") as shown:
        await shown.until("SQLite in from-flag", "sim/flag")


async def test_a_stopped_server_ends_its_streams_and_gives_its_turns_back(server: ServerProcess) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session()
        await client.send(session.id, json.dumps([{"sleep": 600}, {"say": "never"}]))
        async for item in client.stream(session.id):
            if getattr(item, "type", None) == "model.called":
                break
        assert await server.stop() == 0
        await server.start()
        causes = [
            event.data["cause"]
            for event in (await client.events_page(session.id, types=["turn.reclaimed"])).data
        ]
    assert causes == ["worker_stopped"]
