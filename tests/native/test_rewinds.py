"""Rewinds over HTTP."""

import httpx

from tests.native.asserting import NOWHERE, new_input, new_session, problem, value


async def idle_after_a_turn(client: httpx.AsyncClient) -> str:
    """A session with five events, the last of which ends its turn."""
    id: str = (await new_session(client))["id"]
    turn = (await new_input(client, id))["turn"]
    value(await client.post(f"/sessions/{id}/turns/{turn}/cancel"))
    return id


async def test_a_session_is_rewound_once_and_its_log_says_so(client: httpx.AsyncClient) -> None:
    id = await idle_after_a_turn(client)
    key = {"idempotency-key": "once"}
    body = {"to_seq": 1, "expected_seq": 5}
    made = value(await client.post(f"/sessions/{id}/rewind", json=body, headers=key))
    again = await client.post(f"/sessions/{id}/rewind", json=body, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert value(again) == made
    assert (made["last_seq"], made["activity"], made["turns"]) == (6, "idle", 1)
    [event] = value(await client.get(f"/sessions/{id}/events", params={"type": "session.rewound"}))["data"]
    assert (event["seq"], event["data"]["to"], event["data"]["by"]["kind"]) == (6, 1, "human")


async def test_what_cannot_be_rewound_is_refused(client: httpx.AsyncClient) -> None:
    id = await idle_after_a_turn(client)
    place = f"/sessions/{id}/rewind"
    for to in (0, -1, "1", 1.5, True, None):
        problem(await client.post(place, json={"to_seq": to}), 422, "invalid_request", "to_seq")
    problem(await client.post(place, json={}), 422, "invalid_request", "to_seq")
    for to in (3, 4, 5, 99):
        problem(await client.post(place, json={"to_seq": to}), 422, "invalid_request", "to_seq")
    problem(await client.post(place, json={"to_seq": 1, "expected_seq": 4}), 409, "sequence_mismatch")
    problem(await client.post(f"/sessions/{NOWHERE}/rewind", json={"to_seq": 1}), 404, "not_found")
    await new_input(client, id)
    problem(await client.post(place, json={"to_seq": 1}), 409, "wrong_state")
