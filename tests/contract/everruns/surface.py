"""A client of the dialect for tests, and what its answers must look like."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx2

from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart
from sojourn.domain.ids import DEFAULT_ORG, OrgId, SessionId, uuid7
from sojourn.domain.record import Role
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from sojourn.service.sessions import NewSession

SOMEBODY = Actor("human")
BOUND_SECONDS = 30.0
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

    async def make(self, **said: Any) -> Json:
        answer = await self.ask("POST", "/sessions", json=said)
        assert answer.status_code == 201, answer.text
        return as_session(answer.json())

    async def get(self, id: str) -> Json:
        return as_session(await self.read(f"/sessions/{id}"))

    async def say(self, id: str, text: str, **said: Any) -> Json:
        """Send a message; the answer is the message."""
        body = {"message": {"content": [{"type": "text", "text": text}]}} | said
        answer = await self.ask("POST", f"/sessions/{id}/messages", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def play(self, id: str, *steps: Json) -> Json:
        """Send a message that the simulated model carries out."""
        return await self.say(id, json.dumps(steps))

    async def events(self, id: str, **query: Any) -> list[Json]:
        found = (await self.read(f"/sessions/{id}/events", params=query))["data"]
        return [as_event(event) for event in found]

    async def until(self, id: str, type: str, times: int = 1) -> list[Json]:
        """All events, once there are so many of a type."""
        wanted = times
        async with asyncio.timeout(BOUND_SECONDS), aclosing(self.stream(id)) as frames:
            async for frame in frames:
                wanted -= frame.event == type
                if not wanted:
                    return await self.events(id)
        raise AssertionError(f"the stream ended before the {times}. {type}")

    async def stream(
        self, id: str, headers: Mapping[str, str] | None = None, **query: Any
    ) -> AsyncGenerator["Frame"]:
        """The frames of a stream until it ends; comments are left out."""
        told = {"authorization": self.key} | dict(headers or {})
        path = f"/v1/sessions/{id}/sse"
        async with self.http.stream("GET", path, params=query, headers=told, timeout=BOUND_SECONDS) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["content-type"] == "text/event-stream"
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif not line and fields:
                    yield Frame(
                        fields["event"], json.loads(fields["data"]), fields.get("id"), fields["retry"]
                    )
                    fields = {}

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


@dataclass(frozen=True)
class Frame:
    event: str
    data: Json
    id: str | None
    retry: str


def as_event(value: Any) -> Json:
    assert {"id", "type", "ts", "session_id", "context", "data"} <= set(value)
    assert value["id"].startswith("event_")
    assert len(value["id"]) == len("event_") + 32
    return value


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
