"""The memory of agents over HTTP, for their owners and for workers."""

import hashlib
from typing import Any

import httpx

from tests.native.asserting import NOWHERE, problem, value


async def new_agent(client: httpx.AsyncClient) -> str:
    made = value(await client.post("/agents", json={"name": "clerk", "tools": ["memory"]}), 201)
    return f"/agents/{made['id']}/memories"


async def put(client: httpx.AsyncClient, place: str, path: str, text: str, **query: str) -> httpx.Response:
    return await client.put(f"{place}/entry", params={"path": path, **query}, json={"text": text})


def sha_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def test_a_memory_is_written_read_listed_and_deleted(client: httpx.AsyncClient) -> None:
    place = await new_agent(client)
    me = value(await client.get("/me"))["key"]
    made = value(await put(client, place, "/d/é &?#.md", "ünd"), 201)
    assert (made["path"], made["size"], made["sha256"]) == ("d/é &?#.md", 4, sha_of("ünd"))
    assert made["written_by"] == {"kind": "human", "key": me, "session": None, "turn": None}
    assert value(await client.get(f"{place}/entry", params={"path": "d/é &?#.md"})) == {**made, "text": "ünd"}
    again = value(await put(client, place, "d/é &?#.md", ""))
    assert (again["created_at"], again["size"]) == (made["created_at"], 0)
    assert value(await client.get(place)) == {"data": [again], "next_cursor": None}
    gone = await client.delete(f"{place}/entry", params={"path": "d/é &?#.md"})
    assert (gone.status_code, gone.content) == (204, b"")
    problem(await client.get(f"{place}/entry", params={"path": "d/é &?#.md"}), 404, "not_found")
    problem(await client.delete(f"{place}/entry", params={"path": "d/é &?#.md"}), 404, "not_found")


async def test_memories_are_listed_in_pages_below_a_directory(client: httpx.AsyncClient) -> None:
    place = await new_agent(client)
    for path in ("b/1", "a/2", "a/1", "a/3"):
        value(await put(client, place, path, path), 201)

    async def listed(**query: Any) -> list[str]:
        found: list[str] = []
        while True:
            page = value(await client.get(place, params={"limit": 2, **query}))
            found += [one["path"] for one in page["data"]]
            if page["next_cursor"] is None:
                return found
            query["cursor"] = page["next_cursor"]

    assert await listed() == ["a/1", "a/2", "a/3", "b/1"]
    assert await listed(directory="/a/") == ["a/1", "a/2", "a/3"]
    cursor = value(await client.get(place, params={"limit": 1}))["next_cursor"]
    elsewhere = await client.get(place, params={"directory": "a", "cursor": cursor})
    problem(elsewhere, 400, "invalid_request", "cursor")


async def test_a_change_is_made_of_the_text_that_was_read_and_of_no_other(client: httpx.AsyncClient) -> None:
    place = await new_agent(client)
    value(await put(client, place, "a", "one", if_sha256="none"), 201)
    problem(await put(client, place, "a", "two", if_sha256="none"), 409, "already_exists")
    value(await put(client, place, "a", "two", if_sha256=sha_of("one")))
    problem(await put(client, place, "a", "three", if_sha256=sha_of("one")), 412, "content_mismatch")
    problem(await put(client, place, "b", "three", if_sha256=sha_of("one")), 412, "content_mismatch")
    # A repetition finds its own text.
    value(await put(client, place, "a", "two", if_sha256=sha_of("one")))
    stale = {"path": "a", "if_sha256": sha_of("one")}
    problem(await client.delete(f"{place}/entry", params=stale), 412, "content_mismatch")
    fresh = {"path": "a", "if_sha256": sha_of("two")}
    assert (await client.delete(f"{place}/entry", params=fresh)).status_code == 204
    odd = await put(client, place, "a", "x", if_sha256="x")
    problem(odd, 400, "invalid_request", "if_sha256")


async def test_what_is_no_memory_is_refused(client: httpx.AsyncClient) -> None:
    place = await new_agent(client)
    problem(await put(client, place, "../a", "text"), 422, "invalid_request", "path")
    problem(await put(client, place, "a", "é" * 60_000), 422, "invalid_request", "text")
    problem(await put(client, place, "a", "x" * 100_001), 422, "invalid_request", "text")
    problem(await client.get(place, params={"directory": ".."}), 422, "invalid_request", "directory")
    value(await put(client, place, "a", "text"), 201)
    problem(await put(client, place, "a/b", "text"), 409, "wrong_state")
    for answer in (
        await client.get(f"/agents/{NOWHERE}/memories"),
        await client.get(f"/agents/{NOWHERE}/memories/entry", params={"path": "a"}),
        await put(client, f"/agents/{NOWHERE}/memories", "a", "text"),
    ):
        problem(answer, 404, "not_found")
