"""`Turns` over HTTP: what lets a worker of ours run anywhere, with a key and without a database."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final, Literal, TypeVar

import msgspec

from sojourn.client import (
    Client,
    Listening,
    NotFound,
    ReadyTurn,
    Said,
    ServerUnreachable,
    SojournError,
    StoppedTurn,
    Unavailable,
    memory_types,
    worker_types,
)
from sojourn.client import errors as refusals
from sojourn.client.worker_calls import ENTRIES_PAGE
from sojourn.domain.actor import Actor
from sojourn.domain.agent import Agent, AgentSpec
from sojourn.domain.ask import NewAsk
from sojourn.domain.errors import (
    AlreadyExists,
    CallRefused,
    Conflict,
    ContentMismatch,
    LeaseLost,
    StoreUnavailable,
)
from sojourn.domain.events import BY_TYPE, RunnerEvent
from sojourn.domain.ids import AgentId, KeyId, MessageId, OrgId, SessionId, TurnId
from sojourn.domain.kinds import Outcome, RunnerKind
from sojourn.domain.log import LogEntry
from sojourn.domain.memory import Expected, Found, Memory, MemoryEntry, Writer
from sojourn.ports.turns import Claim, ClaimedTurn, Ready
from sojourn.worker.loop import Worker

log = logging.getLogger(__name__)

T = TypeVar("T")

# A step that takes longer to be shown is no slower to be read.
PREVIEW_SECONDS: Final = 0.05
# The server's own bound of a wait.
LONGEST_WAIT_SECONDS: Final = 20.0


class HttpTurns:
    """The worker's protocol of one server, as the organisation of the client's key.

    A server that is away is waited for as long as the client gives it; every write is repeated under its own
    idempotency key, so whatever the server did before it went is not done again.
    """

    def __init__(self, client: Client, org: OrgId, worker: str, pool: str) -> None:
        self._client = client
        self._org = org
        self._worker = worker
        self._pool = pool
        # Up to where each claim's log was read, and what an append has brought of it since.
        self._read: dict[str, int] = {}
        self._ahead: dict[str, Sequence[LogEntry]] = {}
        self._previews: dict[str, dict[MessageId, tuple[int, list[str]]]] = {}

    async def ready(self, runner: RunnerKind, limit: int) -> Sequence[Ready]:
        async with translated(None):
            found = await self._client.ready_turns(self._worker, [runner], self._pool, limit)
        return [Ready(self._org, SessionId(one.session)) for one in found]

    async def claim(self, ready: Ready, worker: str, runners: Collection[RunnerKind]) -> ClaimedTurn | None:
        try:
            async with translated(ready.session):
                found = await self._client.claim_turn(
                    worker, list(runners), self._pool, session=ready.session
                )
        except LeaseLost:
            # The answer was lost, and by the time of its repetition the turn was somebody else's.
            return None
        return None if found is None else _claimed(self._org, found)

    async def renew(self, turns: Sequence[ClaimedTurn], worker: str) -> Sequence[ClaimedTurn]:
        by_name = {name_of(turn): turn for turn in turns}
        async with translated(None):
            lost = await self._client.renew_claims(worker, list(by_name))
        return [by_name[name] for name in lost]

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        name = name_of(turn)
        self._previews.pop(name, None)
        async with self._writing(turn):
            found = await self._client.report(
                name,
                _said(events),
                _said(intents),
                steers_before=steers_before,
                entries_after=self._read.get(name),
            )
        if found is not None:
            # A whole page may not be all, and the rest is asked for then.
            self._ahead[name] = [_entry(one) for one in found] if len(found) < ENTRIES_PAGE else ()

    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None:
        said = reason if reason in ("end_turn", "refused", "no_progress") else None
        async with self._ending(turn):
            await self._client.settle_turn(name_of(turn), _said(events), reason=said, error=error)

    async def retry(
        self, turn: ClaimedTurn, events: Sequence[RunnerEvent], error: str, delay_seconds: float
    ) -> None:
        async with self._ending(turn):
            await self._client.retry_turn(name_of(turn), error, delay_seconds, _said(events))

    async def wait(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
    ) -> None:
        async with self._ending(turn) if mode == "parked" else self._writing(turn):
            await self._client.wait_for_asks(
                name_of(turn), [_asked(ask) for ask in asks], mode, _said(events)
            )

    async def give_back(self, turn: ClaimedTurn) -> None:
        async with self._ending(turn):
            await self._client.release_claim(name_of(turn))

    async def entries_after(
        self, turn: ClaimedTurn, after: int, wait_seconds: float = 0.0
    ) -> Sequence[LogEntry]:
        name = name_of(turn)
        ahead = self._ahead.pop(name, ())
        found = [entry for entry in ahead if entry.seq > after] if self._read.get(name) == after else []
        if not found:
            found = await self._entries(turn, after, wait_seconds)
        self._read[name] = found[-1].seq if found else after
        return found

    async def _entries(self, turn: ClaimedTurn, after: int, wait_seconds: float) -> list[LogEntry]:
        entries: list[LogEntry] = []
        wait = int(min(wait_seconds, LONGEST_WAIT_SECONDS))
        async with self._writing(turn):
            while True:
                page = await self._client.entries(name_of(turn), after, 0 if entries else wait)
                entries += [_entry(one) for one in page]
                if len(page) < ENTRIES_PAGE:
                    return entries
                after = page[-1].seq

    async def read_file(self, turn: ClaimedTurn, path: str) -> bytes | None:
        try:
            async with self._writing(turn):
                return await self._client.read_turn_file(name_of(turn), path)
        except NotFound:
            return None

    async def list_files(self, turn: ClaimedTurn) -> Sequence[tuple[str, int]]:
        async with self._writing(turn):
            return [(file.path, file.size) for file in await self._client.list_turn_files(name_of(turn))]

    async def write_file(self, turn: ClaimedTurn, path: str, data: bytes) -> None:
        async with self._refusable(turn, "file", path):
            await self._client.write_turn_file(name_of(turn), path, data)

    async def delete_file(self, turn: ClaimedTurn, path: str) -> bool:
        try:
            async with self._refusable(turn, "file", path):
                await self._client.delete_turn_file(name_of(turn), path)
        except NotFound:
            return False
        return True

    async def list_memories(self, turn: ClaimedTurn, below: str = "") -> Sequence[MemoryEntry]:
        async with self._refusable(turn, "memory", below):
            return [_remembered(one) for one in await self._client.list_turn_memories(name_of(turn), below)]

    async def read_memory(self, turn: ClaimedTurn, path: str) -> Memory | None:
        try:
            async with self._refusable(turn, "memory", path):
                found = await self._client.read_turn_memory(name_of(turn), path)
        except NotFound:
            return None
        return Memory(entry=_remembered(found), text=found.text)

    async def search_memories(self, turn: ClaimedTurn, query: str) -> Sequence[Found]:
        async with self._refusable(turn, "memory", query):
            found = await self._client.search_turn_memories(name_of(turn), query)
        return [Found(one.path, one.line, one.text) for one in found]

    async def write_memory(
        self, turn: ClaimedTurn, path: str, text: str, expected: Expected | None = None
    ) -> None:
        wanted = None if expected is None else expected.sha256 or "none"
        async with self._refusable(turn, "memory", path):
            await self._client.write_turn_memory(name_of(turn), path, text, if_sha256=wanted)

    async def delete_memory(self, turn: ClaimedTurn, path: str) -> bool:
        try:
            async with self._refusable(turn, "memory", path):
                await self._client.delete_turn_memory(name_of(turn), path)
        except NotFound:
            return False
        return True

    def preview(self, turn: ClaimedTurn, message: MessageId, offset: int, text: str) -> None:
        """Kept for a moment, and sent with what follows it by then."""
        pending = self._previews.setdefault(name_of(turn), {})
        pending.setdefault(message, (offset, []))[1].append(text)

    async def show(self) -> None:
        """Send previews until cancelled. One that is not taken is nobody's loss."""
        while True:
            await asyncio.sleep(PREVIEW_SECONDS)
            pending, self._previews = self._previews, {}
            for name, messages in pending.items():
                for message, (offset, texts) in messages.items():
                    # Halves of characters are replaced one by one, so that offsets stay what they are.
                    shown = "".join(texts).encode(errors="replace").decode()
                    try:
                        await self._client.preview(name, message, offset, shown)
                    except SojournError as error:
                        log.debug("a preview was not shown: %s", error)

    async def listen(self, worker: Worker, runners: Collection[RunnerKind]) -> None:
        """Tell a worker at once of ready and stopped turns, until cancelled."""
        signals = self._client.signals(self._worker, list(runners), self._pool, _note_loss)
        async with aclosing(signals) as items:
            async for item in items:
                match item:
                    case Listening():
                        # Whatever was said while nobody listened is asked for.
                        worker.hear_of_others()
                        worker.doubt()
                    case ReadyTurn(session=session):
                        worker.hear(Ready(self._org, SessionId(session)))
                    case StoppedTurn(session=session, turn=turn):
                        stopped = None if turn is None else TurnId(turn)
                        worker.stop_turn(Ready(self._org, SessionId(session)), stopped)

    @asynccontextmanager
    async def _writing(self, turn: Claim) -> AsyncGenerator[None]:
        try:
            async with translated(turn.session):
                yield
        except LeaseLost:
            self._forget(turn)
            raise

    @asynccontextmanager
    async def _refusable(self, turn: Claim, kind: str, id: str) -> AsyncGenerator[None]:
        """For calls whose refusal is an answer to what a model asked for, and says so in the server's words."""
        try:
            async with self._writing(turn):
                yield
        except refusals.ContentMismatch as error:
            raise ContentMismatch(kind, id) from error
        except (refusals.InvalidRequest, refusals.Conflict, refusals.LimitExceeded) as error:
            if error.code == AlreadyExists.code:
                raise AlreadyExists(kind, id) from error
            raise Conflict(error.detail) from error

    @asynccontextmanager
    async def _ending(self, turn: Claim) -> AsyncGenerator[None]:
        self._previews.pop(name_of(turn), None)
        async with self._writing(turn):
            yield
        self._forget(turn)

    def _forget(self, turn: Claim) -> None:
        name = name_of(turn)
        for kept in (self._read, self._ahead, self._previews):
            kept.pop(name, None)


def name_of(turn: Claim) -> str:
    """As the server names claims."""
    return f"{turn.session}.{turn.turn}.{turn.fence}"


@asynccontextmanager
async def translated(session: SessionId | None) -> AsyncGenerator[None]:
    """The client's errors as those that the worker knows. What is left is a defect, of the worker or the server."""
    try:
        yield
    except refusals.CallRefused as error:
        raise CallRefused(session) from error
    except refusals.LeaseLost as error:
        raise LeaseLost(session) from error
    except (ServerUnreachable, Unavailable) as error:
        raise StoreUnavailable from error


def _note_loss(cause: str) -> None:
    log.info("the server's signals were lost: %s", cause)


def _said(events: Sequence[RunnerEvent]) -> list[Said]:
    return [Said(type=event.type, data=msgspec.to_builtins(event)) for event in events]


def _asked(ask: NewAsk) -> worker_types.NewAsk:
    if ask.on_expire == "answer":
        raise ValueError("no ask is answered for nobody")
    return worker_types.NewAsk(
        id=ask.id,
        kind=ask.kind,
        prompt=ask.prompt,
        timeout_seconds=ask.timeout_seconds,
        on_expire=ask.on_expire,
    )


def _entry(entry: worker_types.Entry) -> LogEntry:
    cls = BY_TYPE.get(entry.type)
    known = cls is not None and entry.v <= cls.v
    event = msgspec.convert(entry.data, cls) if cls is not None and known else None
    return LogEntry(entry.seq, None if entry.turn is None else TurnId(entry.turn), entry.type, event)


def _remembered(found: memory_types.MemoryEntry) -> MemoryEntry:
    by = found.written_by
    return MemoryEntry(
        path=found.path,
        sha256=found.sha256,
        size=found.size,
        created_at=found.created_at,
        updated_at=found.updated_at,
        by=Writer(
            actor=Actor(by.kind, None if by.key is None else KeyId(by.key)),
            session=None if by.session is None else SessionId(by.session),
            turn=None if by.turn is None else TurnId(by.turn),
        ),
    )


def _claimed(org: OrgId, found: worker_types.ClaimedTurn) -> ClaimedTurn:
    agent = found.agent
    # The client's agent has the members of ours, by the same names, and some that are about the agent itself.
    fields: Mapping[str, object] = msgspec.to_builtins(agent)
    return ClaimedTurn(
        org=org,
        session=SessionId(found.session),
        turn=TurnId(found.turn),
        fence=found.fence,
        attempt=found.attempt,
        faults=found.faults,
        agent=Agent(
            id=AgentId(agent.id),
            version=agent.version,
            spec=msgspec.convert(fields, AgentSpec),
            created_at=agent.created_at,
            updated_at=agent.updated_at,
            archived_at=agent.archived_at,
        ),
        model=found.model,
        alias=found.alias,
    )
