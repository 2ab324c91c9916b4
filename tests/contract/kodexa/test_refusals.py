"""Keys, roles, other organisations, and what every failure looks like."""

from typing import Any

import httpx2
import pytest

from sojourn.domain.errors import LimitExceeded
from sojourn.domain.ids import OrgId, uuid7
from sojourn.domain.record import Role
from sojourn.web.app import build_app
from sojourn.web.dialects.kodexa.errors import PROBLEMS, STATUSES
from sojourn.web.native.errors import TABLE
from tests.contract.kodexa.requirements import covers
from tests.contract.kodexa.surface import SESSIONS, Kodexa, absent, as_failure

ME = "/api/account/me"
OVERVIEW = "/api/overview"


@covers("auth.keys")
async def test_either_header_is_taken_and_the_newer_one_wins(kodexa: Kodexa) -> None:
    good, bad = kodexa.token, "wrong"
    accepted = [
        {"x-api-key": good},
        {"x-access-token": good},
        {"X-Api-Key": good, "x-access-token": bad},
        {"x-api-key": "", "x-access-token": good, "cf-access-token": ""},
    ]
    for headers in accepted:
        assert (await kodexa.http.get(SESSIONS, headers=headers)).status_code == 200
    refused = [
        {},
        {"x-api-key": ""},
        {"x-api-key": bad, "x-access-token": good},
        {"x-access-token": bad},
        {"authorization": f"Bearer {good}"},
        {"cookie": f"sojourn={good}; x-api-key={good}"},
    ]
    for headers in refused:
        as_failure(await kodexa.http.get(SESSIONS, headers=headers), 401)


@covers("auth.missing", "auth.overview", "auth.me")
async def test_nothing_is_answered_without_a_good_key(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    requests = [("POST", SESSIONS), ("GET", SESSIONS), ("GET", ME), ("GET", OVERVIEW)]
    requests += [(method, f"{SESSIONS}/{made['id']}") for method in ("GET", "PUT", "DELETE")]
    for method, path in requests:
        for headers in ({}, {b"x-api-key": b"sj_\xff"}):
            as_failure(await kodexa.http.request(method, path, headers=headers), 401)
    assert await kodexa.get(made["id"]) == made


@covers("auth.role")
@pytest.mark.parametrize(("role", "writes"), [("reporter", False), ("member", True), ("admin", True)])
async def test_a_key_does_what_its_role_allows(kodexa: Kodexa, role: Role, writes: bool) -> None:
    made = await kodexa.make()
    headers = {"x-api-key": await kodexa.world.services.access.issue_key(kodexa.world.org, role, role)}
    for path in ("", f"/{made['id']}", ME, OVERVIEW):
        assert (await kodexa.ask("GET", path, headers=headers)).status_code == 200
    for method, path in (("POST", ""), ("PUT", f"/{made['id']}"), ("DELETE", f"/{made['id']}")):
        answer = await kodexa.ask(method, path, headers=headers, json={})
        if writes:
            assert answer.status_code in (200, 201, 204)
        else:
            as_failure(answer, 403)


@covers("auth.organization", "create.id")
async def test_another_organisations_session_is_not_found_by_any_verb(kodexa: Kodexa) -> None:
    access = kodexa.world.services.access
    made = await kodexa.make(runtimeSessionId="secret")
    other = OrgId(uuid7())
    await access.ensure_org(other, "other")
    await kodexa.world.services.agents.ensure_default(other)
    headers = {"x-api-key": await access.issue_key(other, "other", "admin")}
    for method in ("GET", "PUT", "DELETE"):
        await kodexa.refused(404, method, f"/{made['id']}", headers=headers, json={})
    for query in ({}, {"filter": f"organizationId=='{kodexa.world.org}'"}, {"filter": f"id=='{made['id']}'"}):
        page = (await kodexa.ask("GET", params=query, headers=headers)).json()
        assert (page["content"], page["totalElements"]) == ([], 0)
    same = await kodexa.ask(
        "POST", json={"id": made["id"], "organizationId": made["organizationId"]}, headers=headers
    )
    assert (same.status_code, same.json()["organizationId"]) == (201, str(other))
    assert await kodexa.get(made["id"]) == made


@covers("auth.me", "auth.overview")
async def test_who_asks_and_who_answers_can_be_asked(kodexa: Kodexa) -> None:
    me = (await kodexa.ask("GET", ME)).json()
    assert me["id"] == me["uuid"]
    assert (me["platformAdmin"], me["organizationId"]) == (True, str(kodexa.world.org))
    overview = (await kodexa.ask("GET", OVERVIEW)).json()
    assert {"name", "version", "environment"} <= set(overview)


@covers("error.body")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", SESSIONS + "/a/b", 404),
        ("GET", SESSIONS + "//", 404),
        ("GET", SESSIONS + "/%ff", 404),
        ("POST", ME, 405),
        ("GET", ME + "/x", 404),
        ("DELETE", OVERVIEW, 405),
        ("GET", OVERVIEW + "/x", 404),
        ("OPTIONS", SESSIONS, 405),
        ("BREW", SESSIONS, 405),
    ],
)
async def test_what_the_framework_refuses_looks_like_any_other_failure(
    kodexa: Kodexa, method: str, path: str, status: int
) -> None:
    failure = as_failure(await kodexa.http.request(method, path, headers={"x-api-key": kodexa.token}), status)
    assert failure["path"].startswith("/api/")
    assert "errors" not in failure


@covers("error.no-redirect")
async def test_slashes_redirect_nowhere(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    for path in (
        SESSIONS + "/",
        "/" + SESSIONS,
        f"//api//orchestrator-agent-sessions/{made['id']}",
        f"/{ME}",
    ):
        answer = await kodexa.http.get(f"http://sojourn{path}", headers={"x-api-key": kodexa.token})
        assert answer.status_code == 200
        assert not answer.history


@covers("error.body", "error.fields")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", None),
        (b"nonsense", None),
        (b'{"status": "\xff"}', None),
        (b'{"a":' * 100_000, None),
        (b"[" * 100_000, "body"),
        (b"[]", "body"),
        (b'"text"', "body"),
        (b"null", "body"),
        (b'{"status":5}', "status"),
        (b'{"agentRuntimeId":{}}', "agentRuntimeId"),
        (b'{"runtimeSessionId":[]}', "runtimeSessionId"),
        (b'{"metadata":"text"}', "metadata"),
        (b'{"metadata":[1]}', "metadata"),
        (b'{"metadata":{"a":' + b'{"a":' * 70 + b"1" + b"}" * 71 + b"}", "metadata"),
        (b'{"expiresAt":"soon"}', "expiresAt"),
        (b'{"expiresAt":5}', "expiresAt"),
        (b'{"expiresAt":"2030-01-01T00:00:00"}', "expiresAt"),
        (b'{"expiresAt":"0001-01-01T00:00:00+14:00"}', "expiresAt"),
        (b'{"lastInvokedAt":"9999-12-31T23:59:59-14:00"}', "lastInvokedAt"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_and_its_field_named(
    kodexa: Kodexa, body: bytes, field: str | None
) -> None:
    made = await kodexa.make()
    for method, path in (("POST", ""), ("PUT", f"/{made['id']}")):
        failure = await kodexa.refused(400, method, path, content=body)
        assert list(failure.get("errors", {})) == ([] if field is None else [field])
    assert (await kodexa.page())["content"] == [made]


async def test_an_update_refuses_a_sequence_that_is_no_number(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    for sequence in ("0", 0.5, True, {"a": 1}):
        failure = await kodexa.refused(400, "PUT", f"/{made['id']}", json={"changeSequence": sequence})
        assert list(failure["errors"]) == ["changeSequence"]


@covers("error.nul")
async def test_a_nul_is_refused_wherever_it_stands(kodexa: Kodexa) -> None:
    bodies: list[dict[str, Any]] = [
        {"status": "a\0"},
        {"runtimeSessionId": "\0"},
        {"metadata": {"a": ["\0"]}},
        {"metadata": {"\0": 1}},
        {"ignored": "\0"},
    ]
    for body in bodies:
        await kodexa.refused(400, "POST", json=body)
    for name in ("filter", "query", "sort"):
        await kodexa.refused(400, "GET", params={name: "status=='\0'"})
    await kodexa.refused(404, "GET", "/%00")
    assert (await kodexa.make(status="\\u0000"))["status"] == "\\u0000"


@covers("error.413")
async def test_a_body_over_the_limit_is_refused(kodexa: Kodexa) -> None:
    transport = httpx2.ASGITransport(build_app(kodexa.world.services, max_body_bytes=1000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
        small = Kodexa(kodexa.world, http, kodexa.token)
        await small.make(status="x" * 900)
        await small.refused(413, "POST", json={"status": "x" * 1000})
        await small.refused(413, "PUT", f"/{absent()}", content=b"x" * 1001)
        await small.refused(413, "POST", content=_chunks())


async def _chunks() -> Any:
    for _ in range(11):
        yield b" " * 100


@covers("error.no-429")
def test_the_status_that_the_client_takes_for_a_success_is_never_answered() -> None:
    answer = PROBLEMS.answer(LimitExceeded("sessions", 5, retry_after_seconds=2), "an-id", SESSIONS)
    assert answer.status == 503
    assert (b"retry-after", b"2") in answer.headers
    assert 429 not in STATUSES.values()


def test_every_error_that_the_native_api_knows_has_a_status_here() -> None:
    assert set(STATUSES) == set(TABLE)
