"""Idempotency keys."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.native.asserting import new_input, new_session, problem, value
from tests.web.served import Served


async def post_twice(
    client: httpx.AsyncClient, path: str, body: Any
) -> tuple[httpx.Response, httpx.Response]:
    headers = {"Idempotency-Key": "once"}
    first = await client.post(path, json=body, headers=headers)
    second = await client.post(path, json=body, headers=headers)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.status_code == first.status_code
    return first, second


async def test_a_repeated_creation_makes_one_session(client: httpx.AsyncClient) -> None:
    first, second = await post_twice(client, "/sessions", {"title": "one"})
    assert second.json() == first.json()
    assert len(value(await client.get("/sessions"))["data"]) == 1


async def test_every_other_post_can_be_repeated_too(client: httpx.AsyncClient) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    for path, body in [
        ("/agents", {"name": "clerk"}),
        (f"{place}/inputs", {"content": "hi"}),
        (f"{place}/budgets", {"currency": "custom", "limit": 1}),
        (f"{place}/resume", None),
        (f"{place}/archive", None),
        (f"{place}/unarchive", None),
        (f"{place}/end", {"status": "cancelled"}),
    ]:
        first, second = await post_twice(client, path, body)
        assert second.json() == first.json()
    assert len(value(await client.get(f"{place}/inputs"))["data"]) == 1


async def test_a_repeated_top_up_or_charge_is_made_once(client: httpx.AsyncClient) -> None:
    place = f"/sessions/{(await new_session(client))['id']}/budgets"
    budget = value(await client.post(place, json={"currency": "custom", "limit": 5}), 201)
    for path, balance in [("top-up", "6"), ("charge", "5")]:
        headers = {"Idempotency-Key": path}
        for _ in range(2):
            moved = await client.post(f"/budgets/{budget['id']}/{path}", json={"amount": 1}, headers=headers)
            assert value(moved)["balance"] == balance


async def test_a_repeated_cancel_is_answered_as_the_first_was(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    turn = (await new_input(client, session["id"]))["turn"]
    first, second = await post_twice(client, f"/sessions/{session['id']}/turns/{turn}/cancel", None)
    assert second.json() == first.json()


async def test_create_or_get_is_replayed_with_its_first_status(client: httpx.AsyncClient) -> None:
    await new_session(client, external_id="e")
    first, _ = await post_twice(client, "/sessions", {"external_id": "e"})
    assert (first.status_code, first.json()["created"]) == (200, False)


async def test_spacing_and_the_order_of_keys_make_no_other_request(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    for body in ('{"title": "t", "tags": ["x"]}', '{"tags":["x"],"title":"\\u0074"}'):
        value(await client.post("/sessions", content=body, headers=headers), 201)
    assert len(value(await client.get("/sessions"))["data"]) == 1


async def test_another_request_under_the_same_key_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    value(await client.post("/sessions", json={"title": "a"}, headers=headers), 201)
    other = await client.post("/sessions", json={"title": "b"}, headers=headers)
    problem(other, 409, "idempotency_mismatch")
    session, another = await new_session(client), await new_session(client)
    value(await client.post(f"/sessions/{session['id']}/archive", headers=headers))
    elsewhere = await client.post(f"/sessions/{another['id']}/archive", headers=headers)
    problem(elsewhere, 409, "idempotency_mismatch")


async def test_a_key_means_nothing_to_another_credential(client: httpx.AsyncClient, served: Served) -> None:
    headers = {"Idempotency-Key": "once"}
    await client.post("/sessions", headers=headers)
    async with await served.other_role("member") as colleague:
        assert "idempotent-replayed" not in (await colleague.post("/sessions", headers=headers)).headers
    assert len(value(await client.get("/sessions"))["data"]) == 2


async def test_a_refusal_is_not_remembered(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "once"}
    problem(
        await client.post("/sessions", json={"agent": "clerk"}, headers=headers),
        422,
        "invalid_request",
        "agent",
    )
    await client.post("/agents", json={"name": "clerk"})
    value(await client.post("/sessions", json={"agent": "clerk"}, headers=headers), 201)


async def test_of_repetitions_at_the_same_time_one_takes_effect(client: httpx.AsyncClient) -> None:
    request = [client.post("/sessions", headers={"Idempotency-Key": "once"}) for _ in range(10)]
    answers = await asyncio.gather(*request)
    assert len({value(answer, 201)["id"] for answer in answers}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in answers) == 1


@pytest.mark.parametrize("key", [b"", b"with space", b"x" * 256, b"\xe9"])
async def test_a_key_is_visible_ascii(client: httpx.AsyncClient, key: bytes) -> None:
    response = await client.post("/sessions", headers={b"Idempotency-Key": key})
    problem(response, 400, "invalid_request", "Idempotency-Key")
