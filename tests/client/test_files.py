import pytest

from sojourn.client import Client, Conflict, InvalidRequest, NotFound


async def test_a_file_area_is_used_from_end_to_end(client: Client) -> None:
    session = (await client.create_session(files=[{"path": "a", "content": "one\ntwo\n"}])).id
    made = await client.write_file(session, "d/b.bin", bytes(range(256)), create_only=True)
    assert (made.path, made.size, made.is_directory) == ("d/b.bin", 256, False)
    with pytest.raises(Conflict):
        await client.write_file(session, "d/b.bin", b"", create_only=True)
    assert await client.read_file(session, "d/b.bin") == bytes(range(256))
    assert (await client.make_directory(session, "e")).is_directory
    assert (await client.move_file(session, "a", "e/a")).path == "e/a"
    assert (await client.copy_file(session, "d", "f")).is_directory
    assert (await client.protect_file(session, "f/b.bin")).readonly
    with pytest.raises(Conflict):
        await client.delete_file(session, "f", recursive=True)
    await client.delete_file(session, "d", recursive=True)
    paths = [file.path async for file in client.list_files(session, recursive=True, page_size=1)]
    assert paths == ["e", "e/a", "f", "f/b.bin"]
    assert [file.path async for file in client.list_files(session, "e")] == ["e/a"]
    found = await client.grep_files(session, "^t", glob="e/*")
    assert [(match.path, match.line, match.text) for match in found.data] == [("e/a", 2, "two")]
    with pytest.raises(NotFound):
        await client.get_file(session, "d")
    with pytest.raises(InvalidRequest):
        await client.read_file(session, "../a")
