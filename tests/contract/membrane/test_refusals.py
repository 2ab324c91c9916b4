"""What is wrong with a request is always told in the vendor's own shape."""

from typing import Any

import httpx2
import pytest

from sojourn.domain.errors import (
    AlreadyExists,
    Conflict,
    DomainError,
    Forbidden,
    IdempotencyMismatch,
    InvalidRequest,
    LeaseLost,
    LimitExceeded,
    NotFound,
    RevisionMismatch,
    SequenceMismatch,
    StoreUnavailable,
    Unauthenticated,
    WrongState,
)
from sojourn.web.dialects.membrane.errors import PROBLEMS
from sojourn.web.kit.refusals import BadRequest, BodyTooLarge, MethodNotAllowed, RequestRefused, UnknownPath
from sojourn.web.kit.surface import Surface
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import SESSIONS, Membrane, absent, as_failure, of
from tests.support.world import SOMEBODY
from tests.web.served import ask_raw


@covers("error.body")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/{id}", 405),
        ("PUT", "/{id}", 405),
        ("POST", "/{id}", 405),
        ("DELETE", "", 405),
        ("PATCH", "", 405),
        ("OPTIONS", "", 405),
        ("POST", "/{id}/stop", 405),
        ("GET", "/{id}/message", 405),
        ("POST", "/{id}/messages", 405),
        ("PATCH", "/{id}/interrupt", 405),
        ("GET", "/{id}/other", 404),
        ("GET", "/{id}/messages/x", 404),
        ("GET", "//", 404),
        ("BREW", "/{id}", 405),
    ],
)
async def test_what_is_not_there_is_told_in_the_vendors_shape(
    on_sqlite: Membrane, method: str, path: str, status: int
) -> None:
    id = (await on_sqlite.make())["id"]
    answer = await on_sqlite.ask(method, path.format(id=id))
    assert as_failure(answer, status)["type"] == "bad_request"
    assert ("allow" in answer.headers) is (status == 405)


@covers("error.body")
@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/message"])
@pytest.mark.parametrize(
    "body", [b"{", b"null", b"[]", b'"x"', b"\xff\xfe", b'{"prompt":' + b"[" * 9000, b"\0"]
)
async def test_a_body_that_is_no_object_is_refused(on_sqlite: Membrane, path: str, body: bytes) -> None:
    id = (await on_sqlite.make())["id"]
    method = "PATCH" if path == "/{id}" else "POST"
    failure = await on_sqlite.refused(400, method, path.format(id=id), content=body)
    assert "key" not in failure


@covers("client.any-origin")
async def test_pages_of_any_origin_may_ask_and_ask_ahead(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    origin = {"origin": "https://app.example"}
    asking = origin | {
        "access-control-request-method": "PATCH",
        "access-control-request-headers": "authorization,membrane-api-version",
    }
    ahead = await on_sqlite.http.options(f"{SESSIONS}/{id}", headers=asking)
    assert ahead.status_code == 204
    assert ahead.headers["access-control-allow-origin"] == "*"
    assert ahead.headers["access-control-allow-headers"] == "authorization,membrane-api-version"
    assert "PATCH" in ahead.headers["access-control-allow-methods"]
    for path, status in ((f"/{id}", 200), ("/none", 404), (f"/{id}/other", 404)):
        answer = await on_sqlite.ask("GET", path, headers=origin)
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
        # With credentials of the browser's own, a star is refused by the browser.
        assert "access-control-allow-credentials" not in answer.headers


@covers("error.too-large")
async def test_a_body_over_the_limit_is_refused(on_sqlite: Membrane) -> None:
    huge = b'{"prompt":"' + b"x" * (8 * 1024 * 1024) + b'"}'
    failure = await on_sqlite.refused(413, "POST", content=huge)
    assert failure["type"] == "bad_request"


@covers("create.no-null", "error.body")
async def test_the_content_type_of_a_body_does_not_matter(on_sqlite: Membrane) -> None:
    for type in ("application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8", "x"):
        made = await on_sqlite.done("POST", content=b'{"prompt":"x"}', headers={"content-type": type})
        assert made["status"] == "queued"


@covers("error.body")
async def test_an_archived_session_refuses_a_message(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    await on_sqlite.world.services.sessions.archive(on_sqlite.world.org, of(id), True, SOMEBODY)
    failure = await on_sqlite.refused(409, "POST", f"/{id}/message", json={"input": "x"})
    assert failure["type"] == "bad_request"


@covers("page.curl")
async def test_the_pages_own_curl_works(on_sqlite: Membrane) -> None:
    """Its body is what the page's fields and lists put together; sent byte for byte."""
    body = b"""{
      "prompt": "<string>", "workspaceElementType": "customer", "workspaceElementId": "<string>",
      "testCustomerId": "<string>", "isExternal": true, "modelId": "anthropic/claude-sonnet-4.6",
      "agentName": "membrane", "agentHarnessId": "<string>",
      "promptAttachments": [{"title": "<string>", "data": "<unknown>"}]
    }"""
    answer = await ask_raw(
        on_sqlite.app,
        "POST",
        SESSIONS.encode(),
        ((b"content-type", b"application/json"), (b"authorization", f"bearer {on_sqlite.token}".encode())),
        (body,),
    )
    assert answer.status == 200
    for path in (b"//agent//sessions", b"/agent/sessions/"):
        again = await ask_raw(on_sqlite.app, "POST", path, _bearer(on_sqlite), (body,))
        assert again.status == 200


def _bearer(membrane: Membrane) -> tuple[tuple[bytes, bytes], ...]:
    return ((b"authorization", f"Bearer {membrane.token}".encode()),)


ERRORS: list[DomainError | RequestRefused | Exception] = [
    NotFound("session", absent()),
    NotFound("input", absent()),
    InvalidRequest("a.b", "is wrong"),
    Unauthenticated(),
    Forbidden("sessions:write"),
    AlreadyExists("session", absent()),
    RevisionMismatch(1, 2),
    SequenceMismatch(1, 2),
    IdempotencyMismatch("k"),
    WrongState("session", "archived", "receive an input"),
    Conflict("A conflict."),
    LeaseLost(absent()),
    LimitExceeded("queued inputs", 5, retry_after_seconds=2),
    StoreUnavailable(),
    BadRequest("is wrong", "limit"),
    UnknownPath(),
    MethodNotAllowed("PUT", ["GET"]),
    BodyTooLarge(5),
    RuntimeError("secret"),
]


@covers("error.body")
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_every_error_has_a_known_type(error: Exception) -> None:
    async def fail(_request: Any) -> Any:
        raise error

    answer = await ask_alone(Surface([("GET", "/x", fail)], PROBLEMS))
    body = answer.json()
    assert answer.status_code >= 400
    as_failure(answer, answer.status_code)
    if answer.status_code == 500:
        assert "secret" not in answer.text
        assert body["data"] == {"errorId": answer.headers["x-request-id"]}
    if answer.status_code in (429, 503):
        assert answer.headers["retry-after"]


async def ask_alone(app: Any) -> Any:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sojourn") as http:
        return await http.get("/x")
