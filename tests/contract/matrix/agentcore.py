"""The AgentCore runtime's requests. It names sessions by ids of its clients' own, and cannot read or list them.

What it cannot say itself, the id of a session that it made and the name of one that Kodexa made, Kodexa's API tells.
"""

from typing import Any
from uuid import UUID, uuid4

import httpx2

from tests.contract.matrix.kodexa import SESSIONS
from tests.contract.matrix.voice import Voice, ok

RUNTIME = "/runtimes/agent-0123456789"
NAME = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"


class AgentCore(Voice):
    name = "AgentCore runtime"
    can = frozenset({"message", "end"})

    async def _ask(self, path: str, session: str, **request: Any) -> httpx2.Response:
        headers = {"authorization": f"Bearer {self._key}", NAME: session}
        return await self._http.post(f"{RUNTIME}/{path}", headers=headers, **request)

    async def _tracked(self, path: str = "", **request: Any) -> Any:
        return ok(await self._http.get(SESSIONS + path, headers={"x-api-key": self._key}, **request))

    async def create(self) -> UUID:
        session = str(uuid4())
        ok(await self._ask("invocations", session, json={"prompt": "hello"}))
        [made] = (await self._tracked(params={"filter": f"runtimeSessionId=='{session}'"}))["content"]
        return UUID(made["id"])

    async def _name(self, id: UUID) -> str:
        return (await self._tracked(f"/{id}"))["runtimeSessionId"] or str(id)

    async def message(self, id: UUID, text: str) -> None:
        ok(await self._ask("invocations", await self._name(id), json={"prompt": text}))

    async def end(self, id: UUID) -> None:
        ok(await self._ask("stopruntimesession", await self._name(id), json={"clientToken": str(uuid4())}))
