"""Clients that never take no for an answer, and remember every answer that they got."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import msgspec

from sojourn.client.sse import SseDecoder
from tests.chaos.process import Server
from tests.chaos.tools import pause

API: Final = "/sojourn/v1"
# What a turn ends with.
ENDS: Final = frozenset({"turn.completed", "turn.failed", "turn.cancelled"})


@dataclass(frozen=True)
class Acknowledged:
    """A request that was answered, and the id of what it made."""

    path: str
    body: dict[str, Any]
    key: str
    id: str


@dataclass(frozen=True)
class AskOpened:
    id: str
    kind: str
    prompt: dict[str, Any]


@dataclass
class Witness:
    """What the clients saw. `on_answer` is called at every answer, before anybody uses it.

    `withdrawn` and `edited` are inputs that were said to be so, `exports` files of sessions, as they were answered.
    """

    on_answer: Callable[[], None] = lambda: None
    acknowledged: list[Acknowledged] = field(default_factory=list[Acknowledged])
    violations: list[str] = field(default_factory=list[str])
    withdrawn: set[str] = field(default_factory=set[str])
    edited: dict[str, str] = field(default_factory=dict[str, str])
    exports: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


class Caller:
    def __init__(self, server: Server, http: httpx2.AsyncClient, witness: Witness) -> None:
        self.server = server
        self.http = http
        self.witness = witness

    async def make(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        """A POST that makes something; repeated under its key until it is answered."""
        answer = await self.ask("POST", path, body, key)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        made = answer.json()
        self.witness.acknowledged.append(Acknowledged(path, body, key, made["id"]))
        return made

    async def try_make(self, path: str, body: dict[str, Any], key: str) -> None:
        """A POST that may come too late."""
        answer = await self.ask("POST", path, body, key)
        if answer.is_success:
            self.witness.acknowledged.append(Acknowledged(path, body, key, answer.json()["id"]))
        elif answer.status_code not in (404, 409):
            self.witness.violations.append(f"{path} answers {answer.status_code} {answer.text}")

    async def try_do(
        self, path: str, body: dict[str, Any], key: str, refused: tuple[int, ...] = (404, 409)
    ) -> None:
        """A POST to what is there already, which may come too late."""
        answer = await self.ask("POST", path, body, key)
        if not answer.is_success and answer.status_code not in refused:
            self.witness.violations.append(f"{path} answers {answer.status_code} {answer.text}")

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> httpx2.Response:
        """The answer to a request that is repeated until there is one."""
        headers = {} if key is None else {"Idempotency-Key": key}
        while True:
            starts = self.server.starts
            try:
                answer = await self.http.request(method, self.url(path), json=body, headers=headers)
            except httpx2.TransportError:
                await self.server.up_after(starts)
                continue
            if answer.status_code != 503:
                self.witness.on_answer()
                return answer
            # It says itself that nobody knows what became of it, and asks for a repetition.
            await pause(0.05)

    async def replay(self, done: Acknowledged) -> None:
        answer = await self.ask("POST", done.path, done.body, done.key)
        if not answer.is_success or answer.json()["id"] != done.id:
            self.witness.violations.append(
                f"{done.path} under {done.key} made {done.id}, and its replay answers {answer.text}"
            )
        elif answer.headers.get("idempotent-replayed") != "true":
            self.witness.violations.append(f"the replay of {done.path} under {done.key} is not called one")

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.port}{API}{path}"


class Reader:
    """Follows a session's log by `Last-Event-ID` through every kill, and writes down each numbered event it is told."""

    def __init__(self, caller: Caller, session: str) -> None:
        self.session = session
        self.told: list[tuple[int, str, str]] = []
        self._caller = caller
        self._changed = asyncio.Condition()
        self._is_live = False
        # The turn that reads each input, once it does; those that ended; the inputs that were taken back.
        self._turns: dict[str, str] = {}
        self._ended: set[str] = set()
        self._withdrawn: set[str] = set()
        self._asks = asyncio.Queue[AskOpened]()

    async def next_ask(self) -> AskOpened:
        """The next ask that the log tells of."""
        return await self._asks.get()

    async def follow(self) -> None:
        while True:
            starts = self._caller.server.starts
            with suppress(httpx2.TransportError):
                await self._read()
            self._is_live = False
            await self._caller.server.up_after(starts)

    async def _read(self) -> None:
        headers = {"Last-Event-ID": str(self.told[-1][0])} if self.told else {}
        url = self._caller.url(f"/sessions/{self.session}/events/stream")
        async with self._caller.http.stream("GET", url, headers=headers) as answer:
            if answer.status_code != 200:
                self._caller.witness.violations.append(f"a stream answers {answer.status_code}")
                return
            decoder = SseDecoder()
            async for chunk in answer.aiter_bytes():
                for message in decoder.feed(chunk):
                    await self._take(message.name, msgspec.json.decode(message.data))

    async def _take(self, name: str, data: dict[str, Any]) -> None:
        async with self._changed:
            if name == "caught_up":
                self._is_live = True
            elif "seq" in data and "id" in data:
                self.told.append((data["seq"], data["id"], data["type"]))
                self._learn(data["type"], data["turn"], data["data"])
            self._changed.notify_all()

    def _learn(self, type: str, turn: str, data: dict[str, Any]) -> None:
        if type == "input.delivered":
            self._turns[data["input"]] = turn
        elif type == "input.withdrawn":
            self._withdrawn.add(data["input"])
        elif type == "ask.opened":
            self._asks.put_nowait(AskOpened(data["ask"], data["kind"], data["prompt"]))
        elif type in ENDS:
            self._ended.add(turn)

    async def live(self) -> None:
        await self._until(lambda: self._is_live)

    async def settled(self, inputs: list[str]) -> None:
        """Return once the log says how every one of the inputs ended."""
        await self._until(lambda: all(self._is_settled(input) for input in inputs))

    def _is_settled(self, input: str) -> bool:
        return input in self._withdrawn or self._turns.get(input) in self._ended

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(holds)
