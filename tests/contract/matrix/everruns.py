"""Everruns' requests: its sessions never end, so there is no verb for that."""

from typing import Any
from uuid import UUID

import httpx2

from tests.contract.matrix.voice import Voice, found, ok


class Everruns(Voice):
    name = "Everruns"
    can = frozenset({"get", "list", "message", "read", "interrupt"})

    async def _ask(self, method: str, path: str = "", **request: Any) -> httpx2.Response:
        headers = {"authorization": self._key}
        return await self._http.request(method, f"/api/v1/sessions{path}", headers=headers, **request)

    async def create(self) -> UUID:
        return _uuid(
            ok(await self._ask("POST", json={"title": "for all", "goal": "ours", "locale": "uk-UA"}))
        )

    async def word(self, id: UUID) -> str | None:
        session = found(await self._ask("GET", f"/session_{id.hex}"))
        if session is None:
            return None
        return f"{session['status']}, finished" if "finished_at" in session else session["status"]

    async def facet(self, id: UUID) -> dict[str, Any]:
        session = ok(await self._ask("GET", f"/session_{id.hex}"))
        return {name: session[name] for name in ("title", "goal", "locale")}

    async def listed(self) -> list[UUID]:
        return [_uuid(session) for session in ok(await self._ask("GET", "?limit=100"))["data"]]

    async def message(self, id: UUID, text: str) -> None:
        body = {"message": {"content": [{"type": "text", "text": text}]}}
        ok(await self._ask("POST", f"/session_{id.hex}/messages", json=body))

    async def said(self, id: UUID) -> list[str]:
        messages = ok(await self._ask("GET", f"/session_{id.hex}/messages"))["data"]
        return [part["text"] for message in messages for part in message["content"] if part["type"] == "text"]

    async def interrupt(self, id: UUID) -> None:
        assert ok(await self._ask("POST", f"/session_{id.hex}/cancel", json={}))["status"] == "cancelled"


def _uuid(session: dict[str, Any]) -> UUID:
    return UUID(session["id"].removeprefix("session_"))
