"""What is refused before a handler sees it, and what every refusal looks like."""

import logging
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from sojourn.domain import errors
from sojourn.domain.errors import DomainError
from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.ports.turns import Ready
from sojourn.web.kit import refusals
from sojourn.web.kit.refusals import RequestRefused
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response
from sojourn.web.kit.surface import Surface
from sojourn.web.native.errors import PROBLEMS, TABLE
from tests.native.asserting import new_input, new_session, problem, value
from tests.support.databases import SqliteDatabase
from tests.web.served import ADMIN, Served, ask_raw, open_served


def classes_of(module: object, base: type[Exception]) -> list[type[Exception]]:
    found = [thing for thing in vars(module).values() if isinstance(thing, type) and issubclass(thing, base)]
    return [thing for thing in found if thing is not base]


def test_every_situation_has_a_status() -> None:
    codes = {thing.__dict__["code"] for thing in classes_of(errors, DomainError)}
    codes |= {thing.__dict__["code"] for thing in classes_of(refusals, RequestRefused)}
    assert codes | {"internal"} == TABLE.keys()


@pytest.mark.parametrize(
    "header", [None, b"Bearer", b"Bearer ", b"Basic eDp5", b"Bearer wrong", ADMIN.encode(), b"Bearer \xff"]
)
async def test_without_a_valid_key_nothing_is_told(served: Served, header: bytes | None) -> None:
    headers = {} if header is None else {b"authorization": header}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served.app), base_url="http://s") as client:
        response = await client.get("/sojourn/v1/sessions/nowhere", headers=headers)
    problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"


async def test_the_scheme_of_a_key_may_be_written_in_any_case(served: Served) -> None:
    headers = {"authorization": f"bEARER  {ADMIN}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served.app), base_url="http://s") as client:
        value(await client.get("/sojourn/v1/me", headers=headers))


async def test_a_reporter_reads_sessions_and_holds_presences_and_writes_nothing_else(
    client: httpx.AsyncClient, served: Served
) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    async with await served.other_role("reporter") as worker:
        assert value(await worker.get("/me"))["role"] == "reporter"
        value(await worker.get(place))
        value(await worker.put(f"{place}/presence", json={"holder": "w"}))
        assert "sessions:write" in problem(await worker.post("/sessions"), 403, "forbidden")["detail"]
        problem(await worker.post(f"{place}/inputs", json={"content": "x"}), 403, "forbidden")
        problem(await worker.post("/agents", json={"name": "x"}), 403, "forbidden")
        problem(await worker.delete(place), 403, "forbidden")


async def test_a_member_does_all_that_an_admin_does(served: Served) -> None:
    async with await served.other_role("member") as member:
        session = await new_session(member)
        value(await member.post("/agents", json={"name": "x"}), 201)
        assert (await member.delete(f"/sessions/{session['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/sessions", "GET, HEAD, POST"),
        ("OPTIONS", "/sessions/17", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/sessions/17/end", "POST"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_there_is_told_which_are(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)
    problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize(
    "path", ["/nothing", "/sessions/", "/sessions//events", "", "/", "/sessions/a/b/c/d/e"]
)
async def test_a_path_that_is_not_there_is_a_problem_too(served: Served, path: str) -> None:
    answer = await ask_raw(served.app, "GET", b"/sojourn/v1" + path.encode())
    problem(httpx.Response(answer.status, headers=answer.headers, content=answer.body), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"nothing", 400),
        (b'{"title": "\xff"}', 400),
        (b'{"title": "\\ud800"}', 400),
        (b'{"title": "a\x00b"}', 400),
        (b"[" * 100_000, 422),
        (b'{"metadata": ' + b'{"a":' * 100_000, 400),
        (b'{"metadata": ' + b'{"a":' * 65 + b"1" + b"}" * 66, 422),
        (b'{"metadata": {"a": 1e999}}', 422),
        (b'{"metadata": {"a": ' + b"9" * 5000 + b"}}", 422),
        (b'{"metadata": {"a\\u0000b": 1}}', 422),
        (b'{"metadata": {"a": ["\\u0000"]}}', 422),
        (b'{"metadata": {"a": NaN}}', 400),
        (b'{"metadata": {"a": "' + b"x" * 65_536 + b'"}}', 422),
        (b'{"metadata": {' + b",".join(b'"%d":0' % n for n in range(65)) + b"}}", 422),
        (b'{"policy": {"idle_timeout_seconds": 1e300}}', 422),
        (b'{"policy": {"idle_timeout_seconds": 0}}', 422),
        (b'{"tags": [""]}', 422),
        (b'{"tags": ' + b"[" + b",".join([b'"x"'] * 65) + b"]}", 422),
        (b'{"title": "' + b"x" * 1001 + b'"}', 422),
        (b'{"id": "17"}', 422),
        (b'{"external_id": ""}', 422),
    ],
)
async def test_a_body_that_cannot_be_taken_is_refused_and_writes_nothing(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    problem_body = problem_of(await client.post("/sessions", content=body), status)
    assert problem_body["code"] == "invalid_request"
    assert len(problem_body["detail"]) < 500
    assert value(await client.get("/sessions"))["data"] == []


def problem_of(response: httpx.Response, status: int) -> dict[str, str]:
    return problem(response, status, "invalid_request", response.json().get("field"))


async def test_an_escaped_escape_is_no_nul_and_large_integers_stay_as_they_are(
    client: httpx.AsyncClient,
) -> None:
    metadata = '{"text":"\\\\u0000","n":123456789012345678901234567890,"deep":' + "[" * 60 + "]" * 60 + "}"
    made = await client.post("/sessions", content=f'{{"metadata":{metadata}}}')
    assert value(made, 201)["metadata"]["text"] == "\\u0000"
    read = await client.get(f"/sessions/{made.json()['id']}")
    assert f'"metadata":{metadata}' in read.text


async def test_a_body_over_the_limit_is_refused_by_its_announced_length_or_by_what_comes(
    served: Served,
) -> None:
    announced = await ask_raw(
        served.app, "POST", b"/sojourn/v1/sessions", [(b"content-length", b"8388609")], [b"{}"]
    )
    counted = await ask_raw(served.app, "POST", b"/sojourn/v1/sessions", [], [b" " * 5_000_000] * 2)
    absurd = await ask_raw(
        served.app, "POST", b"/sojourn/v1/sessions", [(b"content-length", b"9" * 5000)], [b"{}"]
    )
    for answer in (announced, counted, absurd):
        problem(
            httpx.Response(answer.status, headers=answer.headers, content=answer.body), 413, "body_too_large"
        )
    assert value(await served.client.get("/sessions"))["data"] == []


async def test_the_limit_of_bodies_is_a_setting(tmp_path: Path) -> None:
    async with open_served(tmp_path, worker_capacity=0, max_body_bytes=14) as served:
        value(await served.client.post("/sessions", content=b'{"title":"12"}'), 201)
        problem(await served.client.post("/sessions", content=b'{"title":"123"}'), 413, "body_too_large")


async def test_a_body_in_pieces_is_read_whole(served: Served) -> None:
    answer = await ask_raw(served.app, "POST", b"/sojourn/v1/sessions", [], [b'{"tit', b"", b'le":"x"}'])
    assert answer.status == 201
    assert b'"title":"x"' in answer.body


async def test_head_answers_as_get_without_doing_more(client: httpx.AsyncClient) -> None:
    session = await new_session(client)
    for path in (f"/sessions/{session['id']}", f"/sessions/{session['id']}/events/stream"):
        assert (await client.head(path)).status_code == 200
    assert (await client.head("/sessions/17")).status_code == 404


async def test_an_error_that_nobody_foresaw_is_opaque_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_request: Request) -> Response:
        raise ZeroDivisionError("a secret of the inside")

    surface = Surface([("GET", "/boom", fail)], PROBLEMS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(surface), base_url="http://s") as client:
        response = await client.get("/boom")
    body = problem(response, 500, "internal")
    assert "secret" not in response.text
    (record,) = [record for record in caplog.records if body["request_id"] in record.getMessage()]
    assert record.exc_info is not None


def test_a_limit_says_when_to_come_back() -> None:
    answer = PROBLEMS.answer(errors.LimitExceeded("queued inputs", 3, retry_after_seconds=1.2), "r")
    assert (answer.status, dict(answer.headers)[b"retry-after"]) == (429, b"2")
    answer = PROBLEMS.answer(errors.StoreUnavailable(), "r")
    assert (answer.status, dict(answer.headers)[b"retry-after"]) == (503, b"1")


async def test_a_log_of_a_newer_release_is_answered_in_the_surface_s_own_shape(
    client: httpx.AsyncClient, served: Served, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    session = (await new_session(client))["id"]
    turn = (await new_input(client, session))["turn"]
    await served.services.turns.claim(Ready(DEFAULT_ORG, SessionId(UUID(session))), "worker", ("model",))
    SqliteDatabase(tmp_path).query("UPDATE events SET v = 99 WHERE type = 'turn.started' RETURNING seq")
    problem(await client.post(f"/sessions/{session}/turns/{turn}/cancel"), 500, "internal")
