"""Membrane's requests: a session begins with its prompt, so one is made when its first turn is over."""

from typing import Any
from uuid import UUID

import httpx2

from tests.contract.matrix.voice import Voice, found, ok


class Membrane(Voice):
    name = "Membrane"
    can = frozenset({"get", "list", "message", "read", "interrupt", "end"})

    async def _ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._key}"}
        return await self._http.request(method, f"/agent/sessions{path}", headers=headers, **request)

    async def create(self) -> UUID:
        body = {"prompt": "hello", "agentName": "universe", "workspaceElementType": "flow"}
        id = UUID(ok(await self._ask("POST", json=body))["id"])
        ok(await self._ask("GET", f"/{id.hex}", params={"wait": "1"}))
        return id

    async def word(self, id: UUID) -> str | None:
        session = found(await self._ask("GET", f"/{id.hex}"))
        return None if session is None else f"{session['status']}/{session['state']}"

    async def facet(self, id: UUID) -> dict[str, Any]:
        session = ok(await self._ask("GET", f"/{id.hex}"))
        return {name: session[name] for name in ("prompt", "agentName", "workspaceElementType")}

    async def listed(self) -> list[UUID]:
        return [UUID(session["id"]) for session in ok(await self._ask("GET"))["items"]]

    async def message(self, id: UUID, text: str) -> None:
        ok(await self._ask("POST", f"/{id.hex}/message", json={"input": text}))

    async def said(self, id: UUID) -> list[str]:
        messages = ok(await self._ask("GET", f"/{id.hex}/messages"))
        return [part["text"] for message in messages for part in message["parts"] if part["type"] == "text"]

    async def interrupt(self, id: UUID) -> None:
        assert ok(await self._ask("POST", f"/{id.hex}/interrupt")) == {"interrupted": True}

    async def end(self, id: UUID) -> None:
        ok(await self._ask("PATCH", f"/{id.hex}/stop"))
