"""Forks over HTTP."""

import httpx

from tests.native.asserting import NOWHERE, new_input, new_session, problem, value


async def test_a_fork_is_made_once_described_and_listed(client: httpx.AsyncClient) -> None:
    parent = await new_session(client, title="t", tags=["a"], metadata={"k": "v"})
    await new_input(client, parent["id"])
    place = f"/sessions/{parent['id']}/fork"
    assert (parent["forked_from"], parent["forked_seq"]) == (None, None)
    key = {"idempotency-key": "once"}
    body = {"at": 2, "title": None, "tags": ["b"]}
    made = value(await client.post(place, json=body, headers=key), 201)
    again = await client.post(place, json=body, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert value(again, 201) == made
    assert (made["forked_from"], made["forked_seq"], made["created"]) == (parent["id"], 2, True)
    assert (made["title"], made["tags"], made["metadata"]) == (None, ["b"], {"k": "v"})
    assert (made["status"], made["activity"], made["turns"], made["queued_inputs"]) == ("open", "idle", 0, 0)
    log = value(await client.get(f"/sessions/{made['id']}/events"))["data"]
    assert [event["type"] for event in log] == [
        "session.created", "input.received", "session.forked", "input.withdrawn",
    ]  # fmt: skip
    page = value(await client.get("/sessions", params={"forked_from": parent["id"]}))
    assert [each["id"] for each in page["data"]] == [made["id"]]
    assert value(await client.get("/sessions", params={"forked_from": NOWHERE}))["data"] == []


async def test_an_external_id_makes_forking_create_or_get(client: httpx.AsyncClient) -> None:
    parent = await new_session(client, external_id="p")
    place = f"/sessions/{parent['id']}/fork"
    made = value(await client.post(place, json={"external_id": "c"}), 201)
    got = value(await client.post(place, json={"external_id": "c"}), 200)
    assert (got["id"], got["created"]) == (made["id"], False)
    assert value(await client.post(place), 201)["external_id"] is None


async def test_what_cannot_be_forked_is_refused(client: httpx.AsyncClient) -> None:
    parent = await new_session(client)
    place = f"/sessions/{parent['id']}/fork"
    for at in (0, -1, "1", 1.5, True):
        problem(await client.post(place, json={"at": at}), 422, "invalid_request", "at")
    problem(await client.post(place, json={"at": 2}), 422, "invalid_request", "at")
    problem(await client.post(place, json={"agent": "nobody"}), 422, "invalid_request", "agent")
    problem(await client.post(f"/sessions/{NOWHERE}/fork", json={}), 404, "not_found")
