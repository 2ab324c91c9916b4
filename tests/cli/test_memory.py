from pathlib import Path

from sojourn.client import Client
from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_what_an_agent_remembers_is_put_listed_shown_and_deleted(
    server: ServerProcess, tmp_path: Path
) -> None:
    where = ("--data-dir", server.data_dir)
    async with Client(server.url, server.key) as client:
        agent = await client.create_agent(name="clerk", tools=["memory"])
    note = tmp_path / "note.md"
    note.write_text("Be brief.\n")
    put = await run("memory", "put", "clerk", "notes/style.md", note, *where)
    assert put.out == "notes/style.md has 10 bytes\n"
    await run("memory", "put", str(agent.id), "b", *where, stdin="from a pipe")
    listed = (await run("memory", "clerk", *where)).out.splitlines()
    assert [line.split()[0] for line in listed] == ["b", "notes/style.md"]
    assert listed[0].endswith("by a client")
    below = (await run("memory", "ls", "clerk", "notes", "--json", *where)).objects
    assert [one["path"] for one in below] == ["notes/style.md"]
    assert (await run("memory", "show", "clerk", "b", *where)).out == "from a pipe"
    assert (await run("memory", "delete", "clerk", "b", *where)).status == 0
    gone = await run("memory", "show", "clerk", "b", *where)
    assert (gone.status, "There is no memory b." in gone.err) == (1, True)
    nobody = await run("memory", "nobody", *where)
    assert (nobody.status, "There is no agent nobody." in nobody.err) == (1, True)
