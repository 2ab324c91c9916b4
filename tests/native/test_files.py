"""The file area over HTTP."""

import base64

import httpx
import pytest

from tests.native.asserting import NOWHERE, new_session, problem, value
from tests.web.served import Served


async def put(
    client: httpx.AsyncClient, session: str, path: str, data: bytes, **query: str
) -> httpx.Response:
    return await client.put(
        f"/sessions/{session}/files/content", params={"path": path, **query}, content=data
    )


async def test_bytes_are_written_described_and_read_back(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    place, data = f"/sessions/{session}/files", bytes(range(256))
    made = value(await put(client, session, "/d/é &?#.bin", data), 201)
    assert (made["path"], made["size"], made["is_directory"], made["readonly"]) == (
        "d/é &?#.bin", 256, False, False,
    )  # fmt: skip
    assert value(await client.get(f"{place}/entry", params={"path": "d/é &?#.bin"})) == made
    got = await client.get(f"{place}/content", params={"path": "d/é &?#.bin"})
    assert (got.status_code, got.content) == (200, data)
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["etag"] == f'"{made["sha256"]}"'
    assert value(await put(client, session, "d/é &?#.bin", b""))["size"] == 0
    assert value(await client.get(f"{place}/entry", params={"path": "d"}))["is_directory"]
    log = value(await client.get(f"/sessions/{session}/events"))["data"]
    assert [event["type"] for event in log] == ["session.created", "file.written", "file.written"]


async def test_a_file_is_made_only_where_nothing_is_if_that_is_asked_for(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    place, query = f"/sessions/{session}/files/content", {"path": "a"}
    only_new = {"if-none-match": "*"}
    value(await client.put(place, params=query, content=b"1", headers=only_new), 201)
    refused = await client.put(place, params=query, content=b"2", headers=only_new)
    problem(refused, 409, "already_exists")
    tagged = await client.put(place, params=query, content=b"2", headers={"if-none-match": '"x"'})
    problem(tagged, 400, "invalid_request", "If-None-Match")
    assert (await client.get(place, params=query)).content == b"1"


async def test_directories_are_listed_in_pages(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    place = f"/sessions/{session}/files"
    for path in ("a/1", "a/2", "b", "c/d/e"):
        await put(client, session, path, b"")
    value(await client.post(f"{place}/directory", json={"path": "empty"}), 201)

    async def listed(**query: str) -> list[str]:
        found: list[str] = []
        while True:
            page = value(await client.get(place, params={**query, "limit": "2"}))
            found += [entry["path"] for entry in page["data"]]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    assert await listed() == ["a", "b", "c", "empty"]
    assert await listed(directory="a") == ["a/1", "a/2"]
    assert await listed(recursive="true") == ["a", "a/1", "a/2", "b", "c", "c/d", "c/d/e", "empty"]
    problem(await client.get(place, params={"directory": "no"}), 404, "not_found")
    problem(await client.get(place, params={"directory": "b"}), 409, "wrong_state")
    cursor = value(await client.get(place, params={"limit": 2}))["next_cursor"]
    foreign = await client.get(place, params={"cursor": cursor, "directory": "a"})
    problem(foreign, 400, "invalid_request", "cursor")


async def test_files_are_moved_copied_protected_and_deleted(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    place = f"/sessions/{session}/files"
    await put(client, session, "a/f", b"1", readonly="true")
    copied = await client.post(f"{place}/copy", json={"source": "a", "target": "b"})
    assert value(copied, 201)["is_directory"]
    move = {"source": "b/f", "target": "c"}
    key = {"idempotency-key": "once"}
    moved = value(await client.post(f"{place}/move", json=move, headers=key), 201)
    again = await client.post(f"{place}/move", json=move, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert value(again, 201) == moved
    entry = f"{place}/entry"
    problem(await client.delete(entry, params={"path": "a", "recursive": "true"}), 409, "wrong_state")
    patched = await client.patch(entry, params={"path": "a/f"}, json={"readonly": False})
    assert not value(patched)["readonly"]
    problem(await client.delete(entry, params={"path": "a"}), 409, "wrong_state")
    assert (await client.delete(entry, params={"path": "a", "recursive": "true"})).status_code == 204
    assert [each["path"] for each in value(await client.get(place))["data"]] == ["c"]
    problem(await client.get(entry, params={"path": "a"}), 404, "not_found")


async def test_lines_are_found(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    await put(client, session, "a.py", b"import re\nx = 1\n")
    place = f"/sessions/{session}/files/grep"
    found = value(await client.post(place, json={"pattern": "^x", "glob": "*.py"}))
    assert found == {"data": [{"path": "a.py", "line": 2, "text": "x = 1"}], "truncated": False}
    problem(await client.post(place, json={"pattern": "["}), 422, "invalid_request", "pattern")


@pytest.mark.parametrize("path", ["..", "a/../b", "/", "a\nb"])
async def test_a_path_that_leads_out_is_refused(client: httpx.AsyncClient, path: str) -> None:
    session = (await new_session(client))["id"]
    problem(await put(client, session, path, b""), 422, "invalid_request", "path")
    got = await client.get(f"/sessions/{session}/files/content", params={"path": path})
    problem(got, 422, "invalid_request", "path")


async def test_a_file_that_is_too_large_is_refused(client: httpx.AsyncClient) -> None:
    session = (await new_session(client))["id"]
    problem(await put(client, session, "a", bytes(4 * 1024 * 1024 + 1)), 413, "body_too_large")
    problem(await put(client, NOWHERE, "a", b""), 404, "not_found")


async def test_a_session_is_made_with_files(client: httpx.AsyncClient) -> None:
    files = [
        {"path": "/a.txt", "content": "é"},
        {"path": "b", "content": base64.b64encode(b"\0").decode(), "encoding": "base64", "readonly": True},
    ]
    session = await new_session(client, files=files)
    listed = value(await client.get(f"/sessions/{session['id']}/files"))["data"]
    assert [(each["path"], each["size"], each["readonly"]) for each in listed] == [
        ("a.txt", 2, False), ("b", 1, True),
    ]  # fmt: skip
    assert session["last_seq"] == 3
    for bad, field in (
        ({"path": "..", "content": ""}, "files.0.path"),
        ({"path": "a", "content": "?", "encoding": "base64"}, "files.0.content"),
    ):
        problem(await client.post("/sessions", json={"files": [bad]}), 422, "invalid_request", field)


async def test_a_key_that_may_only_read_changes_no_file(served: Served) -> None:
    session = (await new_session(served.client))["id"]
    await put(served.client, session, "a", b"1")
    async with await served.other_role("reporter") as worker:
        problem(await put(worker, session, "a", b"2"), 403, "forbidden")
        got = await worker.get(f"/sessions/{session}/files/content", params={"path": "a"})
        assert got.content == b"1"
    async with await served.other_org() as other:
        problem(await other.get(f"/sessions/{session}/files"), 404, "not_found")
