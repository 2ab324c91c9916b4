import json

from sojourn.client import Client
from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_what_waits_is_listed_edited_moved_and_withdrawn(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    async with Client(server.url, server.key) as client:
        session = await client.create_session()
        assert (await run("inputs", *where)).err == "Nothing waits.\n"
        await client.send(session.id, json.dumps([{"sleep": 600}, {"say": "never"}]))
        async for item in client.stream(session.id, 0):
            if getattr(item, "type", None) == "turn.started":
                break
        one, two = [await client.send(session.id, text) for text in ("first", "second")]
        moved = await run("inputs", "mv", "last", str(two.id), "--before", str(one.id), *where)
        assert moved.out == f"moved {two.id}: second\n"
        edited = await run("inputs", "edit", "last", str(one.id), "better", "--if-revision", "0", *where)
        assert edited.out == f"edited {one.id}: better\n"
        stale = await run("inputs", "rm", "last", str(one.id), "--if-revision", "0", *where)
        assert stale.status == 1
        listed = await run("inputs", "ls", "last", "--json", *where)
        assert [input["id"] for input in listed.objects] == [str(two.id), str(one.id)]
        table = (await run("inputs", *where)).out
        assert table.index("second") < table.index("better")
        gone = await run("inputs", "rm", "last", str(two.id), *where)
        assert gone.out == f"withdrawn {two.id}: second\n"
        assert (await client.get_input(session.id, two.id)).status == "withdrawn"
