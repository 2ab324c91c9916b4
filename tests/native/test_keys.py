import httpx

from tests.native.asserting import problem, value
from tests.web.served import Served, ask_in_process


async def test_a_key_is_shown_once_listed_and_revoked(client: httpx.AsyncClient, served: Served) -> None:
    new = {"name": "gpu box", "role": "worker", "limits": {"pools": ["gpu"], "runners": ["external"]}}
    headers = {"idempotency-key": "a"}
    made = value(await client.post("/keys", json=new, headers=headers), 201)
    again = await client.post("/keys", json=new, headers=headers)
    assert value(again, 201) == made | {"token": None}
    assert again.headers["idempotent-replayed"] == "true"
    listed = value(await client.get("/keys"))["data"]
    assert [key["id"] for key in listed].count(made["id"]) == 1
    assert all("token" not in key for key in listed)
    async with ask_in_process(served.app, made["token"]) as worker:
        assert value(await worker.get("/me"))["key"] == made["id"]
        assert value(await client.delete(f"/keys/{made['id']}"))["revoked_at"] is not None
        problem(await worker.get("/me"), 401, "unauthenticated")
    value(await client.delete(f"/keys/{made['id']}"))


async def test_a_worker_s_key_sees_the_worker_s_requests_and_no_other(
    client: httpx.AsyncClient, served: Served
) -> None:
    session = value(await client.post("/sessions", json={}), 201)["id"]
    async with await served.other_role("worker") as worker:
        value(await worker.post("/worker/claims", json={"worker": "w"}))
        value(await worker.get("/worker/ready", params={"worker": "w"}))
        for path in (f"/sessions/{session}", "/sessions", "/agents", "/keys", f"/sessions/{session}/events"):
            problem(await worker.get(path), 403, "forbidden")
        problem(await worker.post("/keys", json={"name": "x", "role": "admin"}), 403, "forbidden")


async def test_limits_bind_a_key_of_a_worker_and_no_other_has_any(
    client: httpx.AsyncClient, served: Served
) -> None:
    new = {"name": "x", "role": "member", "limits": {"pools": ["gpu"]}}
    problem(await client.post("/keys", json=new), 422, "invalid_request", "limits")
    made = value(await client.post("/keys", json=new | {"role": "worker"}), 201)
    async with ask_in_process(served.app, made["token"]) as worker:
        value(await worker.post("/worker/claims", json={"worker": "w", "pool": "gpu"}))
        problem(await worker.post("/worker/claims", json={"worker": "w"}), 403, "forbidden")


async def test_a_key_of_a_pool_has_nothing_to_do_with_sessions_of_other_agents(
    client: httpx.AsyncClient, served: Served
) -> None:
    desk = {"name": "desk", "runner": "external", "runner_config": {"pool": "desk"}}
    value(await client.post("/agents", json=desk), 201)
    own = value(await client.post("/sessions", json={"agent": "desk"}), 201)["id"]
    other = value(await client.post("/sessions", json={}), 201)["id"]
    holder = {"holder": "elsewhere"}
    value(await client.put(f"/sessions/{other}/presence", json=holder))
    new = {"name": "desk", "role": "worker", "limits": {"pools": ["desk"]}}
    made = value(await client.post("/keys", json=new), 201)
    async with ask_in_process(served.app, made["token"]) as worker:
        for runner in ("model", "acp", "http"):
            claim = {"worker": "w", "pool": "desk", "runners": [runner]}
            problem(await worker.post("/worker/claims", json=claim), 403, "forbidden")
        problem(await worker.put(f"/sessions/{other}/presence", json=holder), 403, "forbidden")
        problem(await worker.delete(f"/sessions/{other}/presence", params=holder), 403, "forbidden")
        value(await worker.put(f"/sessions/{own}/presence", json=holder))
        assert (await worker.delete(f"/sessions/{own}/presence", params=holder)).status_code == 204
    assert value(await client.get(f"/sessions/{other}"))["presences"] == 1


async def test_a_member_sees_and_makes_no_keys(served: Served) -> None:
    async with await served.other_role("member") as member:
        problem(await member.get("/keys"), 403, "forbidden")
        problem(await member.post("/keys", json={"name": "x", "role": "member"}), 403, "forbidden")
