from typing import Any

import httpx

from tests.native.asserting import new_input, new_session, problem, value
from tests.web.served import Served, ask_in_process

SECRET = "sk-very-secret"


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


async def test_a_worker_is_told_where_a_stored_model_is_and_the_key_of_its_provider_by_reference_only(
    client: httpx.AsyncClient, served: Served
) -> None:
    value(await client.put("/secrets/acme", json={"value": SECRET}))
    provider = {"kind": "anthropic", "base_url": "https://models.example/v1", "api_key": "secret://acme"}
    value(await client.put("/providers/acme", json=provider))
    settings = {"temperature": 0.25, "top_p": None, "max_tokens": 64}
    model = {"provider": "acme", "model": "large", "settings": settings}
    prices = {"input_usd": "2", "output_usd": "10"}
    value(await client.put("/models/fast", json=model | {"prices": prices}))
    async with await served.other_role("worker") as worker:
        meant = await worker.get("/worker/model", params={"name": "fast"})
        told = value(meant)
        assert told | {"stored": None} == model | {"prices": prices, "stored": None}
        assert provider.items() <= told["stored"].items()
        assert SECRET not in meant.text
        assert value(await worker.get("/worker/model", params={"name": "acme/small"}))["model"] == "small"
        own = value(await worker.get("/worker/model", params={"name": "openai/small"}))
        assert (own["provider"], own["stored"]) == ("openai", None)
        problem(await worker.get("/worker/model", params={"name": "slow"}), 404, "not_found")


async def test_a_secret_leaves_the_server_only_with_a_key_that_was_made_with_its_name(
    client: httpx.AsyncClient, served: Served
) -> None:
    for name in ("acme", "other"):
        value(await client.put(f"/secrets/{name}", json={"value": SECRET}))
    new = {"name": "gpu box", "role": "worker", "secrets": ["acme", "gone"]}
    made = value(await client.post("/keys", json=new), 201)
    assert made["secrets"] == ["acme", "gone"]
    async with ask_in_process(served.app, made["token"]) as worker:
        lent = await worker.get("/worker/secrets/acme")
        assert value(lent) == {"value": SECRET}
        assert lent.headers["cache-control"] == "no-store"
        problem(await worker.get("/worker/secrets/gone"), 404, "not_found")
        for name in ("other", "nothing", "ACME"):
            refused = problem(await worker.get(f"/worker/secrets/{name}"), 403, "forbidden")
            assert f"secret://{name}" in refused["detail"]
    # Neither an administrator's key nor a worker's without a name of a secret.
    problem(await client.get("/worker/secrets/acme"), 403, "forbidden")
    async with await served.other_role("worker") as worker:
        problem(await worker.get("/worker/secrets/acme"), 403, "forbidden")


async def test_a_key_for_foreign_agents_learns_nothing_of_models_and_no_other_role_is_given_secrets(
    client: httpx.AsyncClient, served: Served
) -> None:
    new = {"name": "x", "role": "member", "secrets": ["acme"]}
    problem(await client.post("/keys", json=new), 422, "invalid_request", "secrets")
    wrong = new | {"role": "worker", "secrets": ["a b"]}
    problem(await client.post("/keys", json=wrong), 422, "invalid_request", "secrets")
    limited = {"name": "x", "role": "worker", "limits": {"runners": ["external"]}}
    made = value(await client.post("/keys", json=limited), 201)
    async with ask_in_process(served.app, made["token"]) as worker:
        problem(await worker.get("/worker/model", params={"name": "openai/small"}), 403, "forbidden")
