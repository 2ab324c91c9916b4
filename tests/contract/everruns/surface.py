"""A client of the dialect for tests, and what its answers must look like."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx2

from sojourn.domain.content import TextPart
from sojourn.domain.events import Actor
from sojourn.domain.ids import DEFAULT_ORG, OrgId, SessionId, uuid7
from sojourn.domain.record import Role
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from sojourn.service.sessions import NewSession

SOMEBODY = Actor("human")
FAILURES = {400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503}
STATUSES = {"started", "active", "idle", "waitingfortoolresults"}
REQUIRED = {
    "id",
    "organization_id",
    "workspace_id",
    "harness_id",
    "owner_principal_id",
    "status",
    "tags",
    "created_at",
    "updated_at",
}

Json = dict[str, Any]


@dataclass(frozen=True)
class Everruns:
    """`http` is a plain client of the server; `key` is sent raw, as the management client sends it."""

    services: Services
    http: httpx2.AsyncClient
    key: str
    org: OrgId = DEFAULT_ORG

    async def ask(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """A request below `/v1`, or anywhere with a path that begins with `/api`."""
        headers = {"authorization": self.key} | request.pop("headers", {})
        place = path if path.startswith("/api") else "/v1" + path
        return await self.http.request(method, place, headers=headers, **request)

    async def read(self, path: str, **request: Any) -> Any:
        answer = await self.ask("GET", path, **request)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, status: int, method: str, path: str, **request: Any) -> Json:
        return as_problem(await self.ask(method, path, **request), status)

    async def native(self, new: NewSession | None = None) -> SessionId:
        """A session that was made through no dialect."""
        made = await self.services.sessions.create(self.org, new or NewSession(), SOMEBODY)
        return made.value.session.id

    async def send(self, session: SessionId, text: str) -> None:
        """A message that was sent through no dialect."""
        new = NewInput(content=(TextPart(text),))
        await self.services.inputs.send(self.org, session, new, SOMEBODY)

    async def other_org(self) -> "Everruns":
        """A client of an organisation of its own."""
        org = OrgId(uuid7())
        await self.services.access.ensure_org(org, "other")
        await self.services.agents.ensure_default(org)
        key = await self.services.access.issue_key(org, "other", "admin")
        return replace(self, key=key, org=org)

    async def role(self, role: Role) -> "Everruns":
        """A client with a key of another role."""
        return replace(self, key=await self.services.access.issue_key(self.org, role, role))


def id_of(prefix: str, id: UUID) -> str:
    return f"{prefix}_{id.hex}"


def absent(prefix: str) -> str:
    """The id of nothing."""
    return id_of(prefix, uuid4())


def as_session(value: Any) -> Json:
    assert set(value) >= REQUIRED
    assert value["status"] in STATUSES
    assert None not in value.values()
    return value


def as_problem(answer: httpx2.Response, status: int) -> Json:
    """A problem of RFC 9457 with the member that the shipped client reads."""
    assert answer.status_code == status, answer.text
    assert status in FAILURES
    assert answer.headers["content-type"] == "application/problem+json"
    body: Json = answer.json()
    assert {"title", "status", "code", "detail", "instance", "error"} <= set(body)
    assert body["status"] == status
    assert body["error"] == {"code": body["code"], "message": body["detail"]}
    assert body["request_id"] == answer.headers["x-request-id"]
    return body
