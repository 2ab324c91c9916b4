"""agent-swarm's requests: a session is a row for as long as a process outside drives it."""

from typing import Any
from uuid import UUID, uuid4

import httpx2

from tests.contract.matrix.voice import Voice, ok


class AgentSwarm(Voice):
    name = "agent-swarm"
    can = frozenset({"get", "list", "end"})

    async def _ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._key}"}
        return await self._http.request(method, f"/api/active-sessions{path}", headers=headers, **request)

    async def _rows(self) -> list[dict[str, Any]]:
        return ok(await self._ask("GET"))["sessions"]

    async def create(self) -> UUID:
        body = {"agentId": "agent-1", "triggerType": "task_assigned", "taskId": str(uuid4())}
        return UUID(ok(await self._ask("POST", json=body))["session"]["id"])

    async def word(self, id: UUID) -> str | None:
        return "a row" if id in await self.listed() else None

    async def facet(self, id: UUID) -> dict[str, Any]:
        [row] = [row for row in await self._rows() if UUID(row["id"]) == id]
        return {name: row[name] for name in ("agentId", "taskId", "triggerType")}

    async def listed(self) -> list[UUID]:
        return [UUID(row["id"]) for row in await self._rows()]

    async def end(self, id: UUID) -> None:
        assert ok(await self._ask("DELETE", f"/{id}")) == {"deleted": True}
