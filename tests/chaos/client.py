"""Clients that never take no for an answer, and remember every answer that they got."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import httpx2
import msgspec

from sojourn.client.sse import SseDecoder
from tests.chaos.pausing import pause

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
    `leaving` are sessions that policy or somebody removes: what was asked of them may be answered as of no session.
    """

    on_answer: list[Callable[[], None]] = field(default_factory=list[Callable[[], None]])
    leaving: set[str] = field(default_factory=set[str])
    acknowledged: list[Acknowledged] = field(default_factory=list[Acknowledged])
    violations: list[str] = field(default_factory=list[str])
    withdrawn: set[str] = field(default_factory=set[str])
    edited: dict[str, str] = field(default_factory=dict[str, str])
    exports: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])


class Peer(Protocol):
    """Whoever answers at a port, as a client knows it."""

    @property
    def port(self) -> int: ...
    @property
    def starts(self) -> int:
        """How often it came up."""
        ...

    async def up_after(self, starts: int) -> None:
        """Return once there is somebody to ask, who may be another than before."""
        ...


class Caller:
    def __init__(self, server: Peer, http: httpx2.AsyncClient, witness: Witness) -> None:
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

    async def try_make(
        self, path: str, body: dict[str, Any], key: str, refused: tuple[int, ...] = (404, 409)
    ) -> dict[str, Any] | None:
        """A POST that may come too late; None if it does."""
        answer = await self.ask("POST", path, body, key)
        if answer.is_success:
            made = answer.json()
            self.witness.acknowledged.append(Acknowledged(path, body, key, made["id"]))
            return made
        if answer.status_code not in refused:
            self.witness.violations.append(f"{path} answers {answer.status_code} {answer.text}")
        return None

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
                for act in self.witness.on_answer:
                    act()
                return answer
            # It says itself that nobody knows what became of it, and asks for a repetition.
            await pause(0.05)

    async def replay(self, done: Acknowledged) -> None:
        answer = await self.ask("POST", done.path, done.body, done.key)
        if answer.status_code == 404 and (done.id in self.witness.leaving or self._leaves(done.path)):
            return
        if not answer.is_success or answer.json()["id"] != done.id:
            self.witness.violations.append(
                f"{done.path} under {done.key} made {done.id}, and its replay answers {answer.text}"
            )
        elif answer.headers.get("idempotent-replayed") != "true":
            self.witness.violations.append(f"the replay of {done.path} under {done.key} is not called one")

    def _leaves(self, path: str) -> bool:
        return any(session in path for session in self.witness.leaving)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.port}{API}{path}"


class Reader:
    """Follows a session's log by `Last-Event-ID` through every kill, and writes down each numbered event it is told."""

    def __init__(self, caller: Caller, session: str) -> None:
        self.session = session
        self.told: list[tuple[int, str, str]] = []
        # Where the log was said to begin, when what stood before was not told any more.
        self.gaps: set[int] = set()
        self._caller = caller
        self._changed = asyncio.Condition()
        self._is_live = False
        # Only a session that has ended loses its log, and goes.
        self._has_ended = self._is_cut = self._is_gone = False
        # The turn that reads each input, once it does; those that ended; the inputs that were taken back.
        self._turns: dict[str, str] = {}
        self._ended: set[str] = set()
        self._withdrawn: set[str] = set()
        self._asks = asyncio.Queue[AskOpened]()

    async def next_ask(self) -> AskOpened:
        """The next ask that the log tells of."""
        return await self._asks.get()

    async def follow(self) -> None:
        while not self._is_gone:
            starts = self._caller.server.starts
            with suppress(httpx2.TransportError):
                await self._read()
            self._is_live = False
            await self._caller.server.up_after(starts)

    async def _read(self) -> None:
        headers = {"Last-Event-ID": str(self.told[-1][0])} if self.told else {}
        url = self._caller.url(f"/sessions/{self.session}/events/stream")
        async with self._caller.http.stream("GET", url, headers=headers) as answer:
            if answer.status_code == 404 and self.session in self._caller.witness.leaving:
                await self._leave()
                return
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
            elif name == "gap":
                self.gaps.add(data["first_seq"])
                self._has_ended = self._is_cut = True
            elif name == "closing" and data["reason"] == "session_deleted":
                self._has_ended = self._is_gone = True
            elif "seq" in data and "id" in data:
                self.told.append((data["seq"], data["id"], data["type"]))
                self._learn(data["type"], data["turn"], data["data"])
            self._changed.notify_all()

    async def _leave(self) -> None:
        async with self._changed:
            self._has_ended = self._is_gone = True
            self._changed.notify_all()

    async def left(self, *, is_deleted: bool) -> None:
        """Return once the log was cut, or the whole session has gone."""
        await self._until(lambda: self._is_gone or (self._is_cut and not is_deleted))

    def _learn(self, type: str, turn: str, data: dict[str, Any]) -> None:
        if type == "input.delivered":
            self._turns[data["input"]] = turn
        elif type == "input.withdrawn":
            self._withdrawn.add(data["input"])
        elif type == "ask.opened":
            self._asks.put_nowait(AskOpened(data["ask"], data["kind"], data["prompt"]))
        elif type == "session.trimmed":
            self._is_cut = True
        elif type in ENDS:
            self._ended.add(turn)

    async def live(self) -> None:
        await self._until(lambda: self._is_live or self._is_gone)

    async def settled(self, inputs: list[str]) -> None:
        """Return once the log says how every one of the inputs ended."""
        await self._until(lambda: self._has_ended or all(self._is_settled(input) for input in inputs))

    def _is_settled(self, input: str) -> bool:
        return input in self._withdrawn or self._turns.get(input) in self._ended

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(holds)
