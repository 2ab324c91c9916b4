"""Kodexa's requests: sessions are tracked, so nothing is said in them and nothing interrupted."""

from typing import Any
from uuid import UUID, uuid4

import httpx2

from tests.contract.matrix.voice import Voice, found, ok

SESSIONS = "/api/orchestrator-agent-sessions"


class Kodexa(Voice):
    name = "Kodexa"
    can = frozenset({"get", "list", "end"})

    async def _ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        return await self._http.request(method, SESSIONS + path, headers={"x-api-key": self._key}, **request)

    async def create(self) -> UUID:
        fields = {"runtimeSessionId": str(uuid4()), "agentRuntimeId": "arn:x", "metadata": {"theirs": [1]}}
        return UUID(ok(await self._ask("POST", json=fields))["id"])

    async def word(self, id: UUID) -> str | None:
        session = found(await self._ask("GET", f"/{id}"))
        return None if session is None else session["status"]

    async def facet(self, id: UUID) -> dict[str, Any]:
        session = ok(await self._ask("GET", f"/{id}"))
        return {name: session[name] for name in ("runtimeSessionId", "agentRuntimeId", "metadata")}

    async def listed(self) -> list[UUID]:
        page = ok(await self._ask("GET", params={"pageSize": 100}))
        return [UUID(session["id"]) for session in page["content"]]

    async def end(self, id: UUID) -> None:
        session = ok(await self._ask("GET", f"/{id}"))
        ok(await self._ask("PUT", f"/{id}", json=session | {"status": "TERMINATED"}))
