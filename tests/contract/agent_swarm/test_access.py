"""Who may ask: keys, roles, organisations, and browsers of other origins."""

import httpx2
import pytest

from sojourn.domain.ids import OrgId, uuid7
from sojourn.domain.record import Role
from tests.contract.agent_swarm.calls import PATH, Swarm, error, not_found
from tests.contract.agent_swarm.requirements import covers

PLAIN = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "access-control-allow-headers": "*",
    "access-control-expose-headers": "*",
}


def stranger(swarm: Swarm, token: str | None = None) -> httpx2.AsyncClient:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx2.AsyncClient(base_url=swarm.client.base_url, headers=headers)


async def of_role(swarm: Swarm, role: Role) -> httpx2.AsyncClient:
    return stranger(swarm, await swarm.world.services.access.issue_key(swarm.world.org, role, role))


@covers("auth.first", "auth.body")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", PATH, b""),
        ("POST", PATH, b"{"),
        ("POST", PATH, b"{}"),
        ("DELETE", f"{PATH}/x", b""),
        ("PUT", f"{PATH}/heartbeat/x", b""),
        ("PUT", f"{PATH}/provider-session/x", b"{}"),
        ("POST", f"{PATH}/cleanup", b"{}"),
        ("POST", f"{PATH}/recover-orphaned-tasks", b"{}"),
        ("GET", f"{PATH}/no/such/path", b""),
        ("PATCH", PATH, b""),
    ],
)
async def test_without_a_key_every_path_known_or_not_is_unauthorized(
    swarm: Swarm, method: str, path: str, body: bytes
) -> None:
    async with stranger(swarm) as client:
        answer = await client.request(method, path, content=body)
    assert error(answer, 401) == "Unauthorized"
    assert answer.content == b'{"error":"Unauthorized"}'
    assert "www-authenticate" not in answer.headers


@covers("auth.scheme")
async def test_only_the_scheme_as_it_is_written_is_read(swarm: Swarm) -> None:
    key = swarm.client.headers["authorization"].removeprefix("Bearer ")
    async with stranger(swarm) as client:
        for header in (f"Bearer   {key}", f"Bearer \t{key}"):
            assert (await client.get(PATH, headers={"Authorization": header})).status_code == 200
        for header in (
            key,
            f"bearer {key}",
            f"BEARER {key}",
            f"Basic {key}",
            f"Bearer{key}",
            "Bearer aswt_x",
        ):
            error(await client.get(PATH, headers={"Authorization": header}), 401)
        error(await client.get(PATH, headers={"X-API-Key": key}), 401)
        error(await client.get(PATH, params={"token": key}), 401)


@covers("auth.roles")
async def test_a_reporter_beats_and_reads_and_changes_nothing_else(swarm: Swarm) -> None:
    session = await swarm.create("task-1")
    async with await of_role(swarm, "reporter") as worker:
        assert len((await worker.get(PATH)).json()["sessions"]) == 1
        assert (await worker.put(f"{PATH}/heartbeat/task-1")).json() == {"updated": True}
        body = {"agentId": "a", "triggerType": "t"}
        assert "sessions:write" in error(await worker.post(PATH, json=body), 403)
        error(await worker.put(f"{PATH}/provider-session/task-1", json={"providerSessionId": "p"}), 403)
        error(await worker.delete(f"{PATH}/{session['id']}"), 403)
        error(await worker.delete(f"{PATH}/by-task/task-1"), 403)
        error(await worker.post(f"{PATH}/cleanup", json={"agentId": "agent-1"}), 403)
    async with await of_role(swarm, "member") as member:
        assert (await member.delete(f"{PATH}/by-task/task-1")).json() == {"deleted": True}


@covers("auth.org")
async def test_another_organisation_sees_beats_and_ends_nothing(swarm: Swarm) -> None:
    session = await swarm.create("task-1")
    access, org = swarm.world.services.access, OrgId(uuid7())
    await access.ensure_org(org, "other")
    await swarm.world.services.agents.ensure_default(org)
    async with stranger(swarm, await access.issue_key(org, "other", "admin")) as other:
        assert (await other.get(PATH)).json() == {"sessions": []}
        assert (await other.get(PATH, params={"agentId": "agent-1"})).json() == {"sessions": []}
        assert (await other.put(f"{PATH}/heartbeat/task-1")).json() == {"updated": False}
        body = {"providerSessionId": "theirs"}
        assert (await other.put(f"{PATH}/provider-session/task-1", json=body)).json() == {"updated": False}
        assert (await other.delete(f"{PATH}/by-task/task-1")).json() == {"deleted": False}
        assert (await other.delete(f"{PATH}/{session['id']}")).json() == {"deleted": False}
        assert (await other.post(f"{PATH}/cleanup", json={"agentId": "agent-1"})).json() == {"cleaned": 0}
        assert (await other.post(f"{PATH}/cleanup", json={"maxAgeMinutes": 0})).json() == {"cleaned": 0}
        body = {"agentId": "agent-1", "triggerType": "t", "taskId": "task-1"}
        assert (await other.post(PATH, json=body)).status_code == 201
    assert await swarm.rows() == [session]


@covers("cors.plain")
async def test_without_an_origin_every_answer_allows_any(swarm: Swarm) -> None:
    async with stranger(swarm) as client:
        answers = [await client.get(PATH), await swarm.client.get(PATH), await swarm.client.get(f"{PATH}/x")]
    answers.append(await swarm.client.post(PATH, content=b"{"))
    assert [answer.status_code for answer in answers] == [401, 200, 404, 400]
    for answer in answers:
        assert PLAIN.items() <= dict(answer.headers).items()
        assert "access-control-allow-credentials" not in answer.headers
        assert "vary" not in answer.headers


@covers("cors.origin")
async def test_an_origin_is_echoed_on_every_answer_with_credentials(swarm: Swarm) -> None:
    origin = {"Origin": "https://dash.example"}
    async with stranger(swarm) as client:
        answers = [await client.get(PATH, headers=origin), await swarm.client.get(PATH, headers=origin)]
    answers.append(await swarm.client.get(f"{PATH}/x", headers=origin))
    assert [answer.status_code for answer in answers] == [401, 200, 404]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "https://dash.example"
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["access-control-allow-methods"] == PLAIN["access-control-allow-methods"]
        assert (
            answer.headers["access-control-allow-headers"]
            == "Authorization, Content-Type, X-Agent-ID, X-Requested-With"
        )
        assert (
            answer.headers["access-control-expose-headers"] == "Content-Type, Content-Length, ETag, Location"
        )


@covers("cors.preflight")
@pytest.mark.parametrize("path", [PATH, f"{PATH}/heartbeat/x", f"{PATH}/no/such/path"])
async def test_a_browser_may_ask_ahead_without_a_key(swarm: Swarm, path: str) -> None:
    headers = {
        "Origin": "https://dash.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,x-odd",
    }
    async with stranger(swarm) as client:
        answer = await client.options(path, headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://dash.example"
    assert answer.headers["access-control-allow-headers"] == "authorization,x-odd"


@covers("paths.unknown")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{PATH}/01890000-0000-7000-8000-000000000000"),
        ("GET", f"{PATH}/cleanup"),
        ("HEAD", PATH),
        ("PATCH", PATH),
        ("PUT", PATH),
        ("DELETE", PATH),
        ("POST", f"{PATH}/x"),
        ("PUT", f"{PATH}/heartbeat"),
        ("PUT", f"{PATH}/heartbeat/"),
        ("POST", f"{PATH}/heartbeat/x"),
        ("PUT", f"{PATH}/heartbeat/x/y"),
        ("DELETE", f"{PATH}/by-task/x/y"),
        ("PUT", f"{PATH}/Heartbeat/x"),
    ],
)
async def test_what_is_no_call_is_not_found_in_plain_text(swarm: Swarm, method: str, path: str) -> None:
    answer = await swarm.client.request(method, path)
    if method == "HEAD":
        assert (answer.status_code, answer.content) == (404, b"")
    else:
        not_found(answer)


async def test_a_neighbouring_path_is_no_part_of_the_dialect(swarm: Swarm) -> None:
    answer = await swarm.client.get(f"{PATH}-of-old")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
