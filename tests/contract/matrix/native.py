"""The native API, as one voice among the others."""

from typing import Any
from uuid import UUID

import httpx2

from tests.contract.matrix.voice import Voice, found, ok


class Native(Voice):
    name = "native"
    can = frozenset({"get", "list", "message", "read", "interrupt", "end"})

    async def _ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._key}"}
        return await self._http.request(method, f"/sojourn/v1/sessions{path}", headers=headers, **request)

    async def create(self) -> UUID:
        return UUID(ok(await self._ask("POST", json={"title": "for all", "metadata": {"ours": 1}}))["id"])

    async def word(self, id: UUID) -> str | None:
        session = found(await self._ask("GET", f"/{id}"))
        return None if session is None else f"{session['status']}/{session['activity']}"

    async def facet(self, id: UUID) -> dict[str, Any]:
        session = ok(await self._ask("GET", f"/{id}"))
        return {"title": session["title"], "metadata": session["metadata"]}

    async def listed(self) -> list[UUID]:
        page = ok(await self._ask("GET", params={"limit": 100}))
        return [UUID(session["id"]) for session in page["data"]]

    async def message(self, id: UUID, text: str) -> None:
        ok(await self._ask("POST", f"/{id}/inputs", json={"content": text}))

    async def said(self, id: UUID) -> list[str]:
        events = ok(await self._ask("GET", f"/{id}/events", params={"limit": 1000}))["data"]
        texts: list[str] = []
        for event in events:
            if event["type"] == "input.received":
                texts += [part["text"] for part in event["data"]["content"]]
            elif event["type"] == "message.completed":
                texts.append(event["data"]["text"])
        return texts

    async def interrupt(self, id: UUID) -> None:
        turns = ok(await self._ask("GET", f"/{id}/turns", params={"limit": 100}))["data"]
        [running] = [turn for turn in turns if turn["ended_at"] is None]
        ok(await self._ask("POST", f"/{id}/turns/{running['id']}/cancel"))

    async def end(self, id: UUID) -> None:
        ok(await self._ask("POST", f"/{id}/end", json={"status": "completed"}))
