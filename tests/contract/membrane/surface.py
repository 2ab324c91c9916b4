"""A client of the dialect for tests, and what an answer of it must look like."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import jwt

from sojourn.domain.content import Usage
from sojourn.domain.events import MessageCompleted, ModelCalled, ModelCompleted, RunnerEvent
from sojourn.domain.ids import SessionId
from sojourn.ports.turns import ClaimedTurn
from sojourn.web.app import App, build_app
from tests.support.world import World

SESSIONS = "/agent/sessions"
WORKSPACE = "wk"
SECRET = "shh-a-secret-of-a-length-that-warns-nobody-at-all-whatever-the-digest-is-that-signs"

REQUIRED = {
    "id",
    "workspaceId",
    "workspaceElementType",
    "workspaceElementId",
    "type",
    "status",
    "state",
    "prompt",
    "lastActivityAt",
    "hasWorker",
    "createdAt",
    "updatedAt",
}
OPTIONAL = {
    "tenantId",
    "error",
    "title",
    "summary",
    "cost",
    "isExternal",
    "agentName",
    "agentHarnessId",
    "modelId",
    "output",
    "expiresAt",
}
STATUSES = {"queued", "starting", "running", "completed", "failed", "cancelled"}
TYPES = {"bad_request", "concurrency", "internal"}
# The pattern of the vendor's OpenAPI for an instant.
INSTANT = re.compile(
    r"^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|\d{4}-(?:(?:0[13578]|1[02])-"
    r"(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|(?:02)-(?:0[1-9]|1\d|2[0-8])))T(?:(?:[01]\d|2[0-3]):"
    r"[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z))$"
)

Session = dict[str, Any]


@dataclass(frozen=True)
class Membrane:
    """`token` is the one that is sent; `seen_as` gives the same client another."""

    world: World
    app: App
    http: httpx2.AsyncClient
    token: str

    def seen_as(self, tenant: str | None = None, **claims: Any) -> "Membrane":
        own = {} if tenant is None else {"tenantKey": tenant}
        return self.with_token(self.mint({"workspaceKey": WORKSPACE, **own, **claims}))

    def with_token(self, token: str) -> "Membrane":
        return Membrane(self.world, self.app, self.http, token)

    def mint(
        self, claims: Mapping[str, Any], key: str = SECRET, algorithm: str = "HS256", seconds: float = 3600
    ) -> str:
        """As the callers do it themselves."""
        exp = self.world.clock.now().timestamp() + seconds
        return jwt.encode({"exp": exp, **claims}, key, algorithm=algorithm)

    async def ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        """A request below the collection, or anywhere with a path that begins with `/screens` or `/agent`."""
        headers = {"authorization": f"Bearer {self.token}"} | request.pop("headers", {})
        place = path if path.startswith(("/agent", "/screens")) else SESSIONS + path
        return await self.http.request(method, place, headers=headers, **request)

    async def make(self, prompt: str = "hello", **fields: Any) -> Session:
        return await self.done("POST", json={"prompt": prompt, **fields})

    async def done(self, method: str, path: str = "", **request: Any) -> Session:
        """A call that answers a session."""
        answer = await self.ask(method, path, **request)
        assert answer.status_code == 200, answer.text
        return as_session(answer.json())

    async def get(self, id: str, **query: Any) -> Session:
        return await self.done("GET", f"/{id}", params=query)

    async def page(self, **query: Any) -> dict[str, Any]:
        answer = await self.ask("GET", params=query)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        assert set(page) <= {"items", "cursor"}
        for session in page["items"]:
            as_session(session)
        return page

    async def ids(self, **query: Any) -> list[str]:
        return [session["id"] for session in (await self.page(**query))["items"]]

    async def messages(self, id: str) -> list[dict[str, Any]]:
        answer = await self.ask("GET", f"/{id}/messages")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, status: int, method: str, path: str = "", **request: Any) -> dict[str, Any]:
        return as_failure(await self.ask(method, path, **request), status)

    async def settle(self, id: str) -> None:
        """Be the worker: take the open turn and end it."""
        turn = await self.world.claim(of(id))
        await self.world.services.turns.settle(turn, [])


@asynccontextmanager
async def seen_by_acme(world: World) -> AsyncGenerator[Membrane]:
    await world.services.secrets.put(world.org, f"membrane/workspace/{WORKSPACE}", SECRET)
    app = build_app(world.services)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sojourn") as http:
        yield Membrane(world, app, http, "").seen_as("acme")


def of(id: str) -> SessionId:
    return SessionId(UUID(id))


def as_session(value: Any) -> Session:
    """What the vendor's schemas would say of it, and that nothing is null."""
    assert set(value) >= REQUIRED, REQUIRED - set(value)
    assert set(value) <= REQUIRED | OPTIONAL, set(value) - REQUIRED - OPTIONAL
    assert re.fullmatch("[0-9a-f]{32}", value["id"])
    assert value["type"] == "agent"
    assert value["status"] in STATUSES
    assert value["state"] in ("busy", "idle")
    assert value["hasWorker"] is (value["status"] in ("starting", "running"))
    for name in ("lastActivityAt", "createdAt", "updatedAt"):
        assert INSTANT.match(value[name])
        datetime.fromisoformat(value[name])
    _without_null({name: value[name] for name in value if name != "output"})
    return value


def _without_null(value: Any) -> None:
    assert value is not None
    if isinstance(value, dict):
        for inner in value.values():  # pyright: ignore[reportUnknownVariableType]
            _without_null(inner)


def as_failure(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The vendor's ErrorData, of a type that the SDK knows."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    body: dict[str, Any] = answer.json()
    assert set(body) <= {"type", "key", "message", "data"}
    assert body["type"] in TYPES
    assert isinstance(body["message"], str)
    assert body["message"]
    _without_null(body)
    return body


def absent() -> str:
    """The id of nothing."""
    return uuid4().hex


async def answer_to(world: World, turn: ClaimedTurn, text: str, call: int = 1) -> list[RunnerEvent]:
    """The end of the message that the turn's last call of a model has announced."""
    called = (await world.said(turn.session, ModelCalled))[-1]
    usage = Usage(input_tokens=7, output_tokens=5, cache_read_tokens=3)
    return [
        MessageCompleted(message=called.message, call=call, text=text),
        ModelCompleted(call=call, model="m", provider="p", usage=usage, finish_reason="stop"),
    ]
