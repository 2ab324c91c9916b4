from pathlib import Path

import httpx
import pytest

from tests.native.asserting import NOWHERE, is_uuid, new_input, new_session, problem, value
from tests.native.test_asks import until
from tests.web.served import open_served


@pytest.fixture
async def place(client: httpx.AsyncClient) -> str:
    return f"/sessions/{(await new_session(client))['id']}"


async def test_a_message_is_accepted_with_the_id_of_its_turn_to_be(
    client: httpx.AsyncClient, place: str
) -> None:
    response = await client.post(f"{place}/inputs", json={"content": "hello"})
    sent = value(response, 202)
    assert response.headers["etag"] == '"0"'
    assert sent["content"] == [{"type": "text", "text": "hello"}]
    assert (sent["kind"], sent["delivery"], sent["status"]) == ("message", "queue", "queued")
    assert is_uuid(sent["turn"])
    assert value(await client.get(f"{place}/inputs/{sent['id']}")) == sent
    assert value(await client.get(f"{place}/turns/{sent['turn']}"))["input"] == sent["id"]
    session = value(await client.get(place))
    assert (session["activity"], session["open_turn"]) == ("queued", sent["turn"])


async def test_content_may_be_given_in_parts(client: httpx.AsyncClient, place: str) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    sent = value(await client.post(f"{place}/inputs", json={"content": parts, "delivery": "steer"}), 202)
    assert (sent["content"], sent["delivery"]) == (parts, "steer")


async def test_a_message_names_the_model_of_its_turn_and_what_an_app_is_sent_beside_its_text(
    client: httpx.AsyncClient, place: str
) -> None:
    said = {"content": "hello", "model": "sim/script", "payload": {"customer": [7, None]}}
    first = value(await client.post(f"{place}/inputs", json=said), 202)
    second = value(await client.post(f"{place}/inputs", json=said | {"model": "sim/echo"}), 202)
    plain = value(await client.post(f"{place}/inputs", json={"content": "hello"}), 202)
    assert [each["model"] for each in (first, second, plain)] == ["sim/script", "sim/echo", None]
    assert value(await client.get(f"{place}/turns/{first['turn']}"))["model"] == "sim/script"
    log = value(await client.get(f"{place}/events", params={"type": "input.received"}))["data"]
    assert [event["data"]["payload"] for event in log] == ['{"customer":[7,null]}'] * 2 + [None]
    claimed = {"worker": "w", "runners": ["model"]}
    for model in ("sim/script", "sim/echo", "sim/echo"):
        turn = value(await client.post("/worker/claims", json=claimed))["claimed"]
        assert turn["model"] == model
        called = value(await client.get(f"{place}/events", params={"type": "model.called"}))["data"][-1]
        assert (called["turn"], called["data"]["model"]) == (turn["turn"], model)
        void = {"type": "message.abandoned", "data": {"call": 1, "message": called["data"]["message"]}}
        settled = {"error": "done", "events": [void]}
        assert (await client.post(f"/worker/claims/{turn['claim']}/settle", json=settled)).status_code == 204


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "content"),
        ({"content": ""}, "content"),
        ({"content": []}, "content"),
        ({"content": [{"type": "image", "text": "x"}]}, "content.0.type"),
        ({"content": [{"type": "text"}]}, "content.0.text"),
        ({"content": [{"type": "text", "text": "x", "bold": True}]}, "content.0.bold"),
        ({"content": "x", "delivery": "pigeon"}, "delivery"),
        ({"content": "x", "kind": "message"}, "kind"),
        ({"content": "x", "model": ""}, "model"),
        ({"content": "x", "payload": []}, "payload"),
        ({"content": "x", "payload": {"a": "\0"}}, "payload.a"),
        ({"content": "x\0"}, "content"),
        ([], "body"),
    ],
)
async def test_a_message_that_says_nothing_sensible_names_the_field(
    client: httpx.AsyncClient, place: str, body: object, field: str
) -> None:
    problem(await client.post(f"{place}/inputs", json=body), 422, "invalid_request", field)
    assert value(await client.get(f"{place}/inputs"))["data"] == []


async def test_a_waiting_input_may_be_edited_and_taken_back(client: httpx.AsyncClient, place: str) -> None:
    await new_input(client, place.removeprefix("/sessions/"), "first")
    sent = await new_input(client, place.removeprefix("/sessions/"), "second")
    one = f"{place}/inputs/{sent['id']}"
    response = await client.patch(one, json={"content": "better"}, headers={"If-Match": '"0"'})
    edited = value(response)
    assert (edited["content"], edited["revision"]) == ([{"type": "text", "text": "better"}], 1)
    assert response.headers["etag"] == '"1"'
    stale = await client.patch(one, json={"content": "stale"}, headers={"If-Match": '"0"'})
    problem(stale, 412, "revision_mismatch")
    assert (await client.delete(one)).status_code == 204
    assert value(await client.get(one))["status"] == "withdrawn"
    problem(await client.patch(one, json={"content": "late"}), 409, "wrong_state")
    problem(await client.delete(one), 409, "wrong_state")
    withdrawn = value(await client.get(f"{place}/inputs", params={"status": "withdrawn"}))["data"]
    assert [input["id"] for input in withdrawn] == [sent["id"]]


async def test_an_input_belongs_to_its_own_session_only(client: httpx.AsyncClient, place: str) -> None:
    sent = await new_input(client, place.removeprefix("/sessions/"))
    other = await new_session(client)
    problem(await client.get(f"/sessions/{other['id']}/inputs/{sent['id']}"), 404, "not_found")
    problem(await client.get(f"{place}/inputs/{NOWHERE}"), 404, "not_found")
    problem(await client.patch(f"{place}/inputs/{NOWHERE}", json={"content": "x"}), 404, "not_found")
    problem(await client.delete(f"{place}/inputs/{NOWHERE}"), 404, "not_found")
    problem(await client.post(f"/sessions/{NOWHERE}/inputs", json={"content": "x"}), 404, "not_found")
    problem(await client.get(f"/sessions/{NOWHERE}/inputs"), 404, "not_found")


async def test_a_message_reopens_an_ended_session(client: httpx.AsyncClient, place: str) -> None:
    await client.post(f"{place}/end")
    await new_input(client, place.removeprefix("/sessions/"))
    assert value(await client.get(place))["status"] == "open"


async def test_a_turn_is_cancelled_once(client: httpx.AsyncClient, place: str) -> None:
    sent = await new_input(client, place.removeprefix("/sessions/"))
    turn = f"{place}/turns/{sent['turn']}"
    cancelled = value(await client.post(f"{turn}/cancel"))
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "interrupted")
    assert cancelled["ended_at"] is not None
    assert value(await client.get(turn)) == cancelled
    problem(await client.post(f"{turn}/cancel"), 409, "wrong_state")
    problem(await client.post(f"{place}/turns/{NOWHERE}/cancel"), 404, "not_found")
    problem(await client.get(f"{place}/turns/{NOWHERE}"), 404, "not_found")
    problem(await client.get(f"/sessions/{NOWHERE}/turns"), 404, "not_found")


async def test_a_message_that_expects_an_older_log_is_refused_and_not_stored(
    client: httpx.AsyncClient, place: str
) -> None:
    head = value(await client.get(place))["last_seq"]
    sent = value(await client.post(f"{place}/inputs", json={"content": "first", "expected_seq": head}), 202)
    late = await client.post(f"{place}/inputs", json={"content": "second", "expected_seq": head})
    problem(late, 409, "sequence_mismatch")
    assert [one["id"] for one in value(await client.get(f"{place}/inputs"))["data"]] == [sent["id"]]


@pytest.fixture
async def waiting(client: httpx.AsyncClient, place: str) -> list[str]:
    """The ids of what waits, in the order in which it was sent; nobody claims the first one's turn."""
    said = [("nightly", "schedule"), ("helper", "agent"), ("one", "human"), ("two", "human")]
    return [
        value(await client.post(f"{place}/inputs", json={"content": text, "source": source}), 202)["id"]
        for text, source in said
    ]


async def queue(client: httpx.AsyncClient, place: str, limit: int = 100) -> list[str]:
    found: list[str] = []
    params: dict[str, str | int] = {"limit": limit}
    while True:
        page = value(await client.get(f"{place}/queue", params=params))
        found += [input["id"] for input in page["data"]]
        if page["next_cursor"] is None:
            return found
        params["cursor"] = page["next_cursor"]


async def test_the_queue_is_listed_in_the_order_of_delivery_humans_first(
    client: httpx.AsyncClient, place: str, waiting: list[str]
) -> None:
    nightly, helper, one, two = waiting
    assert await queue(client, place) == [one, two, helper, nightly]
    assert await queue(client, place, limit=1) == [one, two, helper, nightly]
    listed = value(await client.get(f"{place}/queue"))["data"]
    assert [input["priority"] for input in listed] == ["human", "human", "agent", "schedule"]
    # The first one's turn is the open one, whoever came before it.
    session = value(await client.get(place))
    assert session["open_turn"] == listed[0]["turn"]
    problem(await client.get(f"/sessions/{NOWHERE}/queue"), 404, "not_found")
    problem(await client.get(f"{place}/queue", params={"cursor": "x"}), 400, "invalid_request", "cursor")
    wrong = await client.post(f"{place}/inputs", json={"content": "x", "source": "policy"})
    problem(wrong, 422, "invalid_request", "source")


async def test_an_input_is_moved_on_the_condition_of_its_revision(
    client: httpx.AsyncClient, place: str, waiting: list[str]
) -> None:
    nightly, helper, one, two = waiting
    move = f"{place}/inputs/{nightly}/move"
    moved = await client.post(move, json={"before": two}, headers={"If-Match": '"0"'})
    assert (value(moved)["revision"], value(moved)["priority"]) == (1, "human")
    assert moved.headers["etag"] == '"1"'
    assert await queue(client, place) == [one, nightly, two, helper]
    stale = await client.post(move, json={"before": None}, headers={"If-Match": '"0"'})
    problem(stale, 412, "revision_mismatch")
    # Behind all others an input says least, and the turn that was open until then is none any more.
    value(await client.post(f"{place}/inputs/{one}/move", json={"before": None}))
    assert await queue(client, place) == [nightly, two, helper, one]
    assert value(await client.get(place))["turns"] == 1
    key = {"Idempotency-Key": "m"}
    first = value(await client.post(move, json={"before": None}, headers=key))
    again = await client.post(move, json={"before": None}, headers=key)
    assert (again.headers["idempotent-replayed"], value(again)["revision"]) == ("true", first["revision"])


async def test_a_move_that_makes_no_sense_is_refused(
    client: httpx.AsyncClient, place: str, waiting: list[str]
) -> None:
    nightly, helper, one, two = waiting
    move = f"{place}/inputs/{two}/move"
    problem(await client.post(move, json={"before": two}), 422, "invalid_request", "before")
    problem(await client.post(move, json={}), 422, "invalid_request", "before")
    problem(await client.post(move, json={"before": NOWHERE}), 404, "not_found")
    problem(await client.post(f"{place}/inputs/{NOWHERE}/move", json={"before": None}), 404, "not_found")
    stale = await client.delete(f"{place}/inputs/{helper}", headers={"If-Match": '"3"'})
    problem(stale, 412, "revision_mismatch")
    assert (await client.delete(f"{place}/inputs/{helper}")).status_code == 204
    problem(await client.post(move, json={"before": helper}), 409, "wrong_state")
    problem(await client.post(f"{place}/inputs/{helper}/move", json={"before": two}), 409, "wrong_state")
    assert await queue(client, place) == [one, two, nightly]


async def test_an_interrupt_says_whether_a_turn_was_at_work(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        client = served.client
        session = (await new_session(client, overlay={"model": "sim/script"}))["id"]
        place = f"/sessions/{session}"
        assert value(await client.post(f"{place}/interrupt")) == {"interrupted": False}
        await new_input(client, session, '[{"sleep": 600}]')
        await until(served, session, "model.called")
        once = {"Idempotency-Key": "stop"}
        assert value(await client.post(f"{place}/interrupt", headers=once)) == {"interrupted": True}
        again = await client.post(f"{place}/interrupt", headers=once)
        assert (value(again), again.headers["idempotent-replayed"]) == ({"interrupted": True}, "true")
        [turn] = value(await client.get(f"{place}/turns"))["data"]
        assert (turn["status"], turn["reason"]) == ("cancelled", "interrupted")
        problem(await client.post(f"/sessions/{NOWHERE}/interrupt"), 404, "not_found")
