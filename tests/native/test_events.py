"""The log, page by page."""

import hashlib
import json

import httpx
import pytest

from tests.native.asserting import NOWHERE, is_uuid, new_input, new_session, problem, value


async def test_the_log_tells_what_happened_in_order(client: httpx.AsyncClient) -> None:
    session = await new_session(client, title="t")
    sent = await new_input(client, session["id"], "hello")
    page = value(await client.get(f"/sessions/{session['id']}/events"))
    events = page["data"]
    assert [(event["seq"], event["type"]) for event in events] == [
        (1, "session.created"),
        (2, "input.received"),
        (3, "turn.queued"),
    ]
    assert page["next_cursor"] is None
    assert all(is_uuid(event["id"]) and event["v"] in (1, 2) for event in events)
    assert events[0]["turn"] is None
    assert events[0]["data"]["title"] == "t"
    assert events[1]["data"]["content"] == [{"text": "hello", "type": "text"}]
    assert events[2]["turn"] == sent["turn"]


async def test_pages_of_the_log_go_on_behind_a_seq(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    for _ in range(4):
        await new_input(client, session["id"])
    place = f"/sessions/{session['id']}/events"
    seen: list[int] = []
    after: str | None = "0"
    while after is not None:
        page = value(await client.get(place, params={"after": after, "limit": 2}))
        seen += [event["seq"] for event in page["data"]]
        after = page["next_cursor"]
    assert seen == [1, 2, 3, 4, 5, 6]
    assert value(await client.get(place, params={"after": 6}))["data"] == []
    assert value(await client.get(place, params={"after": 2**63 - 1}))["data"] == []


async def test_types_select_events(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    await new_input(client, session["id"])
    place = f"/sessions/{session['id']}/events"
    for types, seqs in [
        (["turn.queued"], [3]),
        (["turn.queued", "session.created"], [1, 3]),
        (["no.such"], []),
    ]:
        page = value(await client.get(place, params={"type": types}))
        assert [event["seq"] for event in page["data"]] == seqs


@pytest.mark.parametrize("after", ["-1", "x", "1.0", str(2**63), "9" * 30, ""])
async def test_a_seq_is_a_number_from_zero(client: httpx.AsyncClient, after: str) -> None:
    place = f"/sessions/{(await new_session(client))['id']}/events"
    problem(await client.get(place, params={"after": after}), 400, "invalid_request", "after")
    problem(await client.get(f"{place}/stream", params={"after": after}), 400, "invalid_request", "after")


@pytest.mark.parametrize("last_id", [b"-1", b"x", b"", b"9" * 30, "१".encode()])
async def test_a_last_event_id_is_a_seq(client: httpx.AsyncClient, last_id: bytes) -> None:
    place = f"/sessions/{(await new_session(client))['id']}/events/stream"
    response = await client.get(place, headers={b"last-event-id": last_id})
    problem(response, 400, "invalid_request", "Last-Event-ID")


async def test_large_data_is_a_reference_and_its_text_is_read_apart(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    text = "lorem " * 10_000
    await new_input(client, session["id"], text)
    page = value(await client.get(f"/sessions/{session['id']}/events", params={"type": "input.received"}))
    reference = page["data"][0]["data"]["blob"]
    place = f"/sessions/{session['id']}/blobs"
    blob = await client.get(f"{place}/{reference['sha256']}")
    assert blob.status_code == 200
    assert blob.headers["content-type"] == "application/json"
    assert json.loads(blob.content)["content"][0]["text"] == text
    assert (hashlib.sha256(blob.content).hexdigest(), len(blob.content)) == tuple(reference.values())
    other = await new_session(client)
    problem(await client.get(f"/sessions/{other['id']}/blobs/{reference['sha256']}"), 404, "not_found")
    fork = value(await client.post(f"/sessions/{session['id']}/fork"), 201)
    shared = await client.get(f"/sessions/{fork['id']}/blobs/{reference['sha256']}")
    assert shared.content == blob.content
    for name in ("0" * 64, "17", reference["sha256"].upper()):
        problem(await client.get(f"{place}/{name}"), 404, "not_found")
    problem(await client.get(f"/sessions/{NOWHERE}/blobs/{reference['sha256']}"), 404, "not_found")
