"""Sessions as files, on the command line."""

from pathlib import Path

from sojourn.client import Client
from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_an_exported_session_is_imported_and_verified_without_a_server(
    server: ServerProcess, tmp_path: Path
) -> None:
    async with Client(server.url, server.key) as client:
        session = (await client.create_session(files=[{"path": "a", "content": "one"}])).id
        await client.write_file(session, "b", bytes(range(256)))
    where = ("--data-dir", server.data_dir)
    file = tmp_path / "session.jsonl"
    written = await run("sessions", "export", str(session), "-o", file, *where)
    assert (written.status, written.out, written.err) == (0, "", "")
    made = (await run("sessions", "import", file, "--json", *where)).objects[0]
    assert made["id"] != str(session)
    shown = await run("tail", made["id"], *where)
    assert f"from {session} at event 3" in shown.out
    await server.stop()
    found = (await run("verify", file, "--json")).objects[0]
    assert (found["session"], found["last_seq"], found["blobs"]) == (str(session), 3, 2)
    piped = await run("verify", "-", "--head", found["head"], stdin=file.read_text())
    assert piped.status == 0
    assert piped.out == f"sound  3 events and the contents of 2 files\nhead   {found['head']}\n"
    first = file.read_text().splitlines()[1]
    other = await run("verify", file, "--head", "0" * 64)
    assert other.status == 1
    assert "not the one that is meant" in other.err
    file.write_text(file.read_text().replace(first, first.replace('"native"', '"nature"')))
    changed = await run("verify", file)
    assert (changed.status, changed.out) == (1, "")
    assert "Line 2 was changed" in changed.err


async def test_a_session_is_rewound_and_goes_on_from_there(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    for text in ("Hello", "Again"):
        assert (await run("chat", *(["last"] if text == "Again" else []), "-m", text, *where)).status == 0
    within = await run("sessions", "rewind", "last", "--to", "12", *where)
    assert (within.status, within.out) == (1, "")
    assert "lies within a turn, which began behind event 10" in within.err
    done = await run("sessions", "rewind", "last", "--to", "9", "--json", *where)
    assert done.objects[0]["activity"] == "idle"
    told = await run("tail", "last", *where)
    assert told.out.splitlines()[-1].endswith("to event 9")


async def test_a_known_head_is_found_within_a_log_that_has_grown(
    server: ServerProcess, tmp_path: Path
) -> None:
    where = ("--data-dir", server.data_dir)
    assert (await run("chat", "-m", "Hello", *where)).status == 0
    file = tmp_path / "session.jsonl"
    before = await run("sessions", "export", "last", *where)
    file.write_text(before.out)
    head = (await run("verify", file, "--json")).objects[0]["head"]
    assert (await run("chat", "last", "-m", "Again", *where)).status == 0
    file.write_text((await run("sessions", "export", "last", *where)).out)
    grown = await run("verify", file, "--head", head)
    assert grown.status == 1
    assert f"The head {head} is that of event 9" in grown.err
    missing = await run("sessions", "export", "00000000-0000-7000-8000-000000000000", *where)
    assert (missing.status, missing.out) == (1, "")
