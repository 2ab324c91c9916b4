from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_what_agents_can_be_given_is_listed_and_one_is_shown_with_its_schema(
    server: ServerProcess,
) -> None:
    where = ("--data-dir", server.data_dir)
    listed = await run("capabilities", *where)
    assert "files  Reads, writes and lists the files of the session." in listed.out
    assert "tools: write_file, read_file, list_files" in listed.out
    one = await run("capabilities", "files", *where)
    assert '"additionalProperties": false' in one.out
    names = [kind["name"] for kind in (await run("capabilities", "--json", *where)).objects]
    assert "files" in names
    assert (await run("capabilities", "nothing", *where)).status == 1
