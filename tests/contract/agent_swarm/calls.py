"""agent-swarm's calls, as its clients make them, and what a test wants to know of the answers."""

from dataclasses import dataclass
from typing import Any

import httpx2

from tests.support.world import World

PATH = "/api/active-sessions"
KEYS = (
    "id",
    "agentId",
    "taskId",
    "triggerType",
    "inboxMessageId",
    "taskDescription",
    "startedAt",
    "lastHeartbeatAt",
    "runnerSessionId",
    "providerSessionId",
    "runtimeInstanceId",
)


@dataclass(frozen=True)
class Swarm:
    """`client` asks a server on a loopback port with an admin's key; `world` is what the server stands on."""

    client: httpx2.AsyncClient
    world: World

    async def create(self, task: str | None = None, agent: str = "agent-1", **fields: str) -> dict[str, Any]:
        body = {"agentId": agent, "triggerType": "task_assigned", **fields}
        if task is not None:
            body["taskId"] = task
        # Of two sessions of the same instant, neither would be the newer one.
        self.world.clock.advance(0.001)
        answer = await self.client.post(PATH, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()["session"]

    async def rows(self, query: str = "") -> list[dict[str, Any]]:
        answer = await self.client.get(PATH + query)
        assert answer.status_code == 200, answer.text
        return answer.json()["sessions"]

    async def tasks(self) -> list[str | None]:
        return [row["taskId"] for row in await self.rows()]

    async def row(self, task: str) -> dict[str, Any]:
        (found,) = [row for row in await self.rows() if row["taskId"] == task]
        return found

    async def beat(self, task: str) -> bool:
        return boolean(await self.client.put(f"{PATH}/heartbeat/{task}"), "updated")

    async def provider(self, task: str, id: str) -> bool:
        body = {"providerSessionId": id}
        return boolean(await self.client.put(f"{PATH}/provider-session/{task}", json=body), "updated")

    async def delete(self, id: str) -> bool:
        return boolean(await self.client.delete(f"{PATH}/{id}"), "deleted")

    async def delete_task(self, task: str) -> bool:
        return boolean(await self.client.delete(f"{PATH}/by-task/{task}"), "deleted")

    async def cleanup(self, **body: Any) -> int:
        answer = await self.client.post(f"{PATH}/cleanup", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == {"cleaned"}
        return answer.json()["cleaned"]

    async def quiet_for(self, seconds: float) -> None:
        """Nobody beats for so long. Postgres has its own clock, so there the beats go back instead."""
        if self.world.database.dialect == "sqlite":
            self.world.clock.advance(seconds)
        else:
            back = round(seconds * 1_000_000)
            self.world.database.query(
                f"UPDATE leases SET last_seen_at = last_seen_at - {back} RETURNING holder"
            )


def boolean(answer: httpx2.Response, key: str) -> bool:
    """The value of an answer that is one boolean."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body.keys() == {key}
    assert isinstance(body[key], bool)
    return body[key]


def error(answer: httpx2.Response, status: int) -> str:
    """The sentence of a refusal, checked to be in the dialect's shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"]
    body = answer.json()
    assert body.keys() == {"error"}
    return body["error"]


def not_found(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.text) == (404, "Not Found")
    assert "content-type" not in answer.headers
    assert answer.headers["access-control-allow-origin"]
