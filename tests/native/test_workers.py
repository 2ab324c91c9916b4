from typing import Any

import httpx

from tests.native.asserting import new_input, new_session, problem, value


async def test_a_session_says_for_whose_workers_it_waits(client: httpx.AsyncClient) -> None:
    new = {"name": "foreign", "runner": "external", "runner_config": {"pool": "gpu"}}
    value(await client.post("/agents", json=new), 201)
    place = f"/sessions/{(session := await new_session(client, agent='foreign'))['id']}"
    assert value(await client.get(place))["waits_for_pool"] is None
    await new_input(client, session["id"])
    waiting = value(await client.get(place))
    assert (waiting["activity"], waiting["waits_for_pool"]) == ("queued", "gpu")
    claim = {"worker": "w", "pool": "gpu"}
    assert value(await client.post("/worker/claims", json=claim))["claimed"]["session"] == session["id"]
    busy = value(await client.get(place))
    assert (busy["activity"], busy["waits_for_pool"]) == ("busy", None)


async def test_an_agent_s_pool_is_a_name(client: httpx.AsyncClient) -> None:
    for config in ({"pool": 7}, {"pool": ""}, {"pool": "a b"}, {"other": "x"}):
        new = {"name": "foreign", "runner": "external", "runner_config": config}
        refused = await client.post("/agents", json=new)
        assert refused.status_code == 422
        assert refused.json()["field"].startswith("runner_config.")


async def test_a_worker_s_errors_name_the_event_that_cannot_be_so(client: httpx.AsyncClient) -> None:
    value(await client.post("/agents", json={"name": "foreign", "runner": "external"}), 201)
    session = await new_session(client, agent="foreign")
    await new_input(client, session["id"])
    claim = value(await client.post("/worker/claims", json={"worker": "w"}))["claimed"]["claim"]
    place = f"/worker/claims/{claim}"
    used: dict[str, Any] = {"type": "usage.recorded", "data": {"source": "s", "usage": {}}}
    written: dict[str, Any] = {"type": "file.written", "data": {"path": "x", "sha256": "0" * 64, "size": 1}}
    typo: dict[str, Any] = {"type": "usage.recorded", "data": {"source": "s", "usage": {}, "extra": 1}}
    result = {
        "type": "tool.completed",
        "data": {"call": 1, "index": 0, "id": "t", "name": "n", "status": "done", "output": ""},
    }
    for wrong, field in ((written, "events.1.type"), (typo, "events.1.data.extra"), (result, "events.1")):
        problem(
            await client.post(f"{place}/events", json={"events": [used, wrong]}),
            422,
            "invalid_request",
            field,
        )
    listed = value(await client.get(f"{place}/entries"))["data"]
    assert listed[-1]["type"] == "input.delivered"
    problem(await client.post("/worker/claims/nothing/settle", json={}), 404, "not_found")
    assert (await client.post(f"{place}/settle", json={})).status_code == 204
    problem(await client.post(f"{place}/settle", json={}), 409, "lease_lost")
