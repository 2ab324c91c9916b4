import httpx
import pytest

from tests.native.asserting import NOWHERE, new_input, new_session, problem, value
from tests.web.served import Served


async def test_a_new_session_is_open_idle_and_says_everything_of_itself(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/sessions",
        json={
            "title": "Invoice 17",
            "metadata": {"customer": "acme", "deep": {"list": [1, 2.5, None, True]}},
            "tags": ["billing", "eu", "billing"],
            "policy": {"idle_timeout_seconds": 60},
        },
    )
    session = value(response, 201)
    assert session["created"] is True
    assert response.headers["etag"] == '"0"'
    assert session["status"] == "open"
    assert session["activity"] == "idle"
    assert session["title"] == "Invoice 17"
    assert session["metadata"] == {"customer": "acme", "deep": {"list": [1, 2.5, None, True]}}
    assert session["tags"] == ["billing", "eu"]
    assert session["policy"]["idle_timeout_seconds"] == 60
    assert session["expires_at"] is not None
    assert session["origin"] == "native"
    assert session["usage"]["cost_usd"] is None
    assert (session["revision"], session["first_seq"], session["last_seq"]) == (0, 1, 1)
    del session["created"]
    assert value(await client.get(f"/sessions/{session['id']}")) == session


async def test_a_session_can_be_made_with_no_body_at_all(client: httpx.AsyncClient) -> None:
    assert value(await client.post("/sessions"), 201)["title"] is None


async def test_a_session_keeps_the_id_that_its_client_chose(client: httpx.AsyncClient) -> None:
    session = await new_session(client, id="0f8fad5b-d9cb-469f-a165-70867728950e")
    assert session["id"] == "0f8fad5b-d9cb-469f-a165-70867728950e"
    problem(await client.post("/sessions", json={"id": session["id"]}), 409, "already_exists")


async def test_an_external_id_makes_creation_create_or_get(client: httpx.AsyncClient) -> None:
    first = await new_session(client, external_id="order/17")
    second = value(await client.post("/sessions", json={"external_id": "order/17", "title": "x"}), 200)
    assert second == {**first, "created": False}


async def test_an_agent_is_named_by_id_or_by_name(client: httpx.AsyncClient) -> None:
    agent = value(await client.post("/agents", json={"name": "clerk"}), 201)
    for reference in (agent["id"], "clerk"):
        session = await new_session(client, agent=reference)
        assert session["agent"] == {"id": agent["id"], "version": 1}


@pytest.mark.parametrize("agent", ["nobody", NOWHERE])
async def test_an_unknown_agent_is_a_wrong_value(client: httpx.AsyncClient, agent: str) -> None:
    problem(await client.post("/sessions", json={"agent": agent}), 422, "invalid_request", "agent")


async def test_an_update_changes_what_it_names_and_replaces_metadata(client: httpx.AsyncClient) -> None:
    session = await new_session(client, title="a", metadata={"k": 1}, tags=["t"])
    place = f"/sessions/{session['id']}"
    response = await client.patch(place, json={"title": None, "metadata": {"other": 2}})
    changed = value(response)
    assert (changed["title"], changed["metadata"], changed["tags"]) == (None, {"other": 2}, ["t"])
    assert changed["revision"] == 1
    assert response.headers["etag"] == '"1"'
    assert value(await client.get(place)) == changed


async def test_if_match_lets_a_change_through_only_at_the_revision_it_is_meant_for(
    client: httpx.AsyncClient,
) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    for condition in ('"0"', "1", "*"):
        value(await client.patch(place, json={"title": condition}, headers={"If-Match": condition}))
    stale = await client.patch(place, json={"title": "stale"}, headers={"If-Match": '"1"'})
    problem(stale, 412, "revision_mismatch")
    malformed = await client.patch(place, json={"title": "x"}, headers={"If-Match": 'W/"1"'})
    problem(malformed, 400, "invalid_request", "If-Match")
    assert value(await client.get(place))["title"] == "*"


async def test_an_ended_session_says_how_and_cannot_end_again(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    ended = value(
        await client.post(f"/sessions/{session['id']}/end", json={"status": "failed", "reason": "no budget"})
    )
    assert (ended["status"], ended["end_reason"]) == ("failed", "no budget")
    assert ended["ended_at"] is not None
    problem(await client.post(f"/sessions/{session['id']}/end"), 409, "wrong_state")


async def test_an_archived_session_refuses_inputs_until_it_is_taken_back(client: httpx.AsyncClient) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    assert value(await client.post(f"{place}/archive"))["archived_at"] is not None
    problem(await client.post(f"{place}/inputs", json={"content": "hi"}), 409, "wrong_state")
    assert value(await client.post(f"{place}/unarchive"))["archived_at"] is None
    value(await client.post(f"{place}/inputs", json={"content": "hi"}), 202)


async def test_a_deleted_session_is_gone(client: httpx.AsyncClient) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    deleted = await client.delete(place)
    assert (deleted.status_code, deleted.content) == (204, b"")
    for gone in (place, f"{place}/events", f"{place}/inputs", f"{place}/turns", f"{place}/events/stream"):
        problem(await client.get(gone), 404, "not_found")
    problem(await client.delete(place), 404, "not_found")


@pytest.mark.parametrize("id", [NOWHERE, "17", "%00", "%ff", "00000000000070008000000000000000", "x" * 3000])
async def test_what_is_no_session_of_ours_is_not_found(client: httpx.AsyncClient, id: str) -> None:
    problem(await client.get(f"/sessions/{id}"), 404, "not_found")


async def test_another_organisation_sees_nothing_of_a_session(
    client: httpx.AsyncClient, served: Served
) -> None:
    session = await new_session(client, external_id="same")
    sent = await new_input(client, session["id"])
    place = f"/sessions/{session['id']}"
    async with await served.other_org() as stranger:
        reads = [
            "",
            "/events",
            "/events/stream",
            "/inputs",
            f"/inputs/{sent['id']}",
            "/turns",
            f"/turns/{sent['turn']}",
        ]
        for read in reads:
            problem(await stranger.get(place + read), 404, "not_found")
        problem(await stranger.patch(place, json={"title": "mine"}), 404, "not_found")
        problem(await stranger.delete(place), 404, "not_found")
        for write in ("/end", "/archive", "/unarchive", f"/turns/{sent['turn']}/cancel"):
            problem(await stranger.post(place + write), 404, "not_found")
        problem(await stranger.post(f"{place}/inputs", json={"content": "x"}), 404, "not_found")
        problem(await stranger.put(f"{place}/presence", json={"holder": "h"}), 404, "not_found")
        assert value(await stranger.get("/sessions", params={"archived": "any"}))["data"] == []
        assert (await new_session(stranger, external_id="same"))["id"] != session["id"]


async def test_a_presence_is_acquired_once_then_renewed_and_makes_the_session_busy(
    client: httpx.AsyncClient,
) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    first = value(await client.put(f"{place}/presence", json={"holder": "laptop", "ttl_seconds": 60}))
    assert (first["holder"], first["ttl_seconds"], first["acquired"]) == ("laptop", 60, True)
    assert value(await client.put(f"{place}/presence", json={"holder": "laptop"}))["acquired"] is False
    session = value(await client.get(place))
    assert (session["presences"], session["activity"]) == (1, "busy")
    assert (await client.delete(f"{place}/presence", params={"holder": "laptop"})).status_code == 204
    problem(await client.delete(f"{place}/presence", params={"holder": "laptop"}), 404, "not_found")
    problem(await client.delete(f"{place}/presence"), 400, "invalid_request", "holder")
    assert value(await client.get(place))["presences"] == 0


async def test_whoever_drives_a_session_is_listed_to_its_organisation(
    client: httpx.AsyncClient, served: Served
) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    assert value(await client.get(f"{place}/presences")) == {"data": []}
    await client.put(f"{place}/presence", json={"holder": "laptop", "ttl_seconds": 60})
    await client.put(f"{place}/presence", json={"holder": "desk"})
    [desk, laptop] = value(await client.get(f"{place}/presences"))["data"]
    assert (desk["holder"], desk["ttl_seconds"], desk["stale"]) == ("desk", None, False)
    assert (laptop["holder"], laptop["ttl_seconds"], laptop["stale"]) == ("laptop", 60, False)
    async with await served.other_org() as stranger:
        problem(await stranger.get(f"{place}/presences"), 404, "not_found")
