"""A client of the dialect for tests, and what an answer of it must look like."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2

from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from tests.support.world import World

SESSIONS = "/api/orchestrator-agent-sessions"

FIELDS = {
    "id",
    "uuid",
    "changeSequence",
    "createdOn",
    "updatedOn",
    "agentRuntimeId",
    "runtimeSessionId",
    "organizationId",
    "status",
    "metadata",
    "expiresAt",
    "lastInvokedAt",
}
PAGE = {
    "content",
    "number",
    "size",
    "numberOfElements",
    "totalElements",
    "totalPages",
    "first",
    "last",
    "empty",
    "sort",
    "pageable",
}
# The statuses of which the shipped client knows that they are no success, and 413, which it does not know.
FAILURES = {400, 401, 403, 404, 405, 409, 413, 422, 500, 503}

Session = dict[str, Any]


@dataclass(frozen=True)
class Kodexa:
    world: World
    http: httpx2.AsyncClient
    token: str

    async def ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        """A request below the collection, or anywhere with a path that begins with `/api`."""
        headers = {"x-api-key": self.token} | request.pop("headers", {})
        place = path if path.startswith("/api") else SESSIONS + path
        return await self.http.request(method, place, headers=headers, **request)

    async def make(self, **fields: Any) -> Session:
        answer = await self.ask("POST", json=fields)
        assert answer.status_code == 201, answer.text
        return as_session(answer.json())

    async def get(self, id: str) -> Session:
        answer = await self.ask("GET", f"/{id}")
        assert answer.status_code == 200, answer.text
        return as_session(answer.json())

    async def put(self, id: str, session: dict[str, Any]) -> Session:
        answer = await self.ask("PUT", f"/{id}", json=session)
        assert answer.status_code == 200, answer.text
        return as_session(answer.json())

    async def page(self, **query: Any) -> dict[str, Any]:
        answer = await self.ask("GET", params=query)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        assert set(page) == PAGE
        for session in page["content"]:
            as_session(session)
        return page

    async def found(self, *filters: str, **query: Any) -> list[str]:
        """The runtimeSessionIds of what a list selects, sorted."""
        page = await self.page(filter=list(filters), pageSize=1000, **query)
        return sorted(session["runtimeSessionId"] for session in page["content"])

    async def refused(self, status: int, method: str, path: str = "", **request: Any) -> dict[str, Any]:
        return as_failure(await self.ask(method, path, **request), status)

    async def record(self, id: str) -> SessionRecord:
        return await self.world.record(SessionId(UUID(id)))


def as_session(value: Any) -> Session:
    assert set(value) == FIELDS
    assert value["id"] == value["uuid"] == str(UUID(value["id"]))
    return value


def as_failure(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """Spring's error body: an object, whose `errors`, if there are any, map fields to texts."""
    assert answer.status_code == status, answer.text
    assert status in FAILURES
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, Any] = answer.json()
    assert set(body) - {"errors"} == {"timestamp", "status", "error", "message", "path", "requestId"}
    assert body["status"] == status
    assert body["requestId"] == answer.headers["x-request-id"]
    assert all(isinstance(text, str) for text in body.get("errors", {}).values())
    return body


def absent() -> str:
    """The id of nothing."""
    return str(uuid4())
