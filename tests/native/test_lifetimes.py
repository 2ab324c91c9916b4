"""What the API says and does about the ends of sessions."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.native.asserting import new_input, new_session, problem, value
from tests.web.served import Served

LIMITS = {
    "idle_timeout_seconds": 60.0,
    "max_lifetime_seconds": 3600.0,
    "max_turn_seconds": 50.0,
    "max_start_seconds": 40.0,
    "max_queued_seconds": 30.0,
    "reopen": 20.0,
    "retain_log_seconds": 15.0,
    "retain_seconds": 10.0,
}


async def test_a_session_shows_its_limits_and_the_one_that_will_end_it(client: httpx.AsyncClient) -> None:
    session = await new_session(client, policy=LIMITS)
    assert session["policy"] == LIMITS
    assert session["expires_by"] == "idle"
    idle_at = datetime.fromisoformat(session["created_at"]) + timedelta(seconds=60)
    assert datetime.fromisoformat(session["expires_at"]) == idle_at
    sent = await new_input(client, session["id"])
    received_at = datetime.fromisoformat(sent["received_at"])
    assert datetime.fromisoformat(sent["expires_at"]) == received_at + timedelta(seconds=30)
    for word in ("always", "never"):
        place = f"/sessions/{session['id']}"
        changed = value(await client.patch(place, json={"policy": {"reopen": word}}))
        assert changed["policy"] == {**dict.fromkeys(LIMITS), "reopen": word}
        assert (changed["expires_at"], changed["expires_by"]) == (None, None)


async def test_a_session_is_extended_by_a_time_or_to_an_instant(client: httpx.AsyncClient) -> None:
    session = await new_session(client, policy=LIMITS)
    place = f"/sessions/{session['id']}/extend"
    once = {"idempotency-key": "once"}
    extended = await client.post(place, json={"seconds": 7200}, headers=once)
    assert value(extended)["expires_at"] > session["expires_at"]
    again = await client.post(place, json={"seconds": 7200}, headers=once)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == extended.json()
    far = datetime(2222, 2, 2, tzinfo=UTC)
    to = value(await client.post(place, json={"expires_at": far.isoformat()}))
    assert datetime.fromisoformat(to["expires_at"]) == far
    assert to["revision"] == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "seconds"),
        ({"seconds": 1, "expires_at": "2222-02-02T00:00:00Z"}, "seconds"),
        ({"expires_at": "2002-02-02T00:00:00Z"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+23:00"}, "expires_at"),
    ],
)
async def test_an_extension_names_one_time_to_come(
    client: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    session = await new_session(client)
    refused = await client.post(f"/sessions/{session['id']}/extend", json=body)
    problem(refused, 422, "invalid_request", field)


async def test_an_ended_session_is_reopened_by_its_own_verb_unless_it_ended_for_good(
    client: httpx.AsyncClient, served: Served
) -> None:
    session = await new_session(client)
    place = f"/sessions/{session['id']}"
    problem(await client.post(f"{place}/reopen"), 409, "wrong_state")
    value(await client.post(f"{place}/end"))
    problem(await client.post(f"{place}/extend", json={"seconds": 1}), 409, "wrong_state")
    reopened = value(await client.post(f"{place}/reopen"))
    assert (reopened["status"], reopened["ended_at"]) == ("open", None)
    value(await client.patch(place, json={"policy": {"reopen": "never"}}))
    value(await client.post(f"{place}/end"))
    refused = problem(await client.post(f"{place}/reopen"), 409, "wrong_state")
    assert refused["detail"] == "A session that is completed for good by its policy cannot be reopened."
    problem(await client.post(f"{place}/inputs", json={"content": "x"}), 409, "wrong_state")
    async with await served.other_org() as stranger:
        problem(await stranger.post(f"{place}/reopen"), 404, "not_found")
        problem(await stranger.post(f"{place}/extend", json={"seconds": 1}), 404, "not_found")
