"""SQLite: one writer with group commit, reads on connections of their own, one process per file.

Verbs run on the event loop's thread, one to its end before the next, and their commit is synced on a thread beside it;
what arrives meanwhile shares the next commit. docs/adr/0007 compares this with a writer thread, and what it costs.

Why the writer needs no locks between verbs: its connection is the only one that writes, and it belongs to one batch
from BEGIN to COMMIT. Why a reader never sees half a verb: WAL readers see whole commits.
"""

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from sojourn.domain.agent import Agent
from sojourn.domain.draft import State
from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.filter import Filter, SessionQuery
from sojourn.domain.ids import AgentId, KeyId, OrgId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.org import Org
from sojourn.domain.record import DrivenSession, Recalled, SessionRecord
from sojourn.ports import Clock, Published, Tx
from sojourn.store import leases, rows, sqlite_file
from sojourn.store.db import load_sqlite
from sojourn.store.reads import StoreReads, compile_count, compile_list
from sojourn.store.rows import Params, Row
from sojourn.store.sqlite_file import error_code
from sojourn.store.tx import StoreTx
from sojourn.store.where import Dialect
from sojourn.telemetry import counters

T = TypeVar("T")
log = logging.getLogger(__name__)

# How long the verbs of one batch may keep the event loop from its other work.
SLICE_SECONDS: Final = 0.008
# Transaction numbers are reserved this many at a time, so that a commit does not pay for one.
TX_BLOCK: Final = 100_000
EX_IOERR: Final = 74
_ENDS_THE_PROCESS: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

sqlite3.register_adapter(UUID, lambda id: id.bytes)


class SqliteDb:
    """The methods are coroutines that never suspend, so that a verb can be run without an event loop."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, texts: Mapping[str, str]) -> None:
        self._connection = connection
        self._texts = texts

    async def one(self, name: str, params: Params) -> Row | None:
        counters.statements += 1
        return cast(Row | None, self._connection.execute(self._texts[name], params).fetchone())

    async def all(self, name: str, params: Params) -> Sequence[Row]:
        counters.statements += 1
        return cast(Sequence[Row], self._connection.execute(self._texts[name], params).fetchall())

    async def run(self, name: str, params: Params) -> int:
        counters.statements += 1
        return self._connection.execute(self._texts[name], params).rowcount

    async def many(self, name: str, params: Sequence[Params]) -> None:
        counters.statements += 1
        self._connection.executemany(self._texts[name], params)

    async def select(self, text: str, values: Sequence[object]) -> Sequence[Row]:
        counters.statements += 1
        return cast(Sequence[Row], self._connection.execute(text, cast(Any, values)).fetchall())


class SqliteTx(StoreTx):
    def __init__(self, db: SqliteDb, tx: int) -> None:
        super().__init__(db)
        self._tx = tx

    async def lock_session(self, org: OrgId, session: SessionId, wait: bool = True) -> State | None:
        row = await self._db.one("lock_session", {"org": org, "id": session})
        if row is None:
            return None
        turn = row[rows.SESSION_COLUMNS :]
        return await self._state(org, rows.session_of(row), None if turn[0] is None else rows.turn_of(turn))

    async def lock_org(self, org: OrgId) -> Org | None:
        return await self.get_org(org)

    async def lock_agent(self, org: OrgId, agent: AgentId) -> Agent | None:
        return await self.get_agent(org, agent)

    async def lock_alias(self, org: OrgId, alias: str) -> None:
        """No other verb runs until this one ends."""

    async def lock_memories(self, org: OrgId, agent: AgentId) -> None:
        """No other verb runs until this one ends."""

    async def next_tx(self, org: OrgId, session: SessionId) -> int:
        return self._tx

    async def reserve_key(
        self, org: OrgId, key: KeyId, operation: str, idempotency_key: str, now: datetime
    ) -> Recalled | None:
        # No other verb runs until this one ends, so nobody can take the place that was found free.
        return await self.recall(org, key, operation, idempotency_key)


class SqliteReads(StoreReads):
    """Reads on the event loop's own thread: each is a bounded page by an index, cheaper than a change of thread.

    A list may scan (a filter on metadata has no index), so it runs beside the loop, on its own connection; so does
    a whole roster.
    """

    def __init__(self, near: SqliteDb, far: SqliteDb) -> None:
        super().__init__(near)
        self._far = far
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sojourn-list")

    async def list_sessions(self, org: OrgId, query: SessionQuery) -> Sequence[SessionRecord]:
        text, values = compile_list(org, query, self._far)
        return [rows.session_record_of(row) for row in await self._select(text, values)]

    async def count_sessions(self, org: OrgId, where: Filter) -> int:
        text, values = compile_count(org, where, self._far)
        return int((await self._select(text, values))[0][0])

    async def _select(self, text: str, values: Sequence[object]) -> Sequence[Row]:
        # Made on the thread: one that is cancelled before its turn leaves no coroutine behind that nobody ran.
        def select() -> Sequence[Row]:
            return run_to_end(self._far.select(text, values))

        return await asyncio.get_running_loop().run_in_executor(self._thread, select)

    async def driven_sessions(
        self, org: OrgId, among: Sequence[SessionId] | None = None
    ) -> Sequence[DrivenSession]:
        if among is not None:
            return await super().driven_sessions(org, among)
        found = await self._select(*leases.compile_driven(org, None, self._far.dialect))
        return [leases.driven_of(row) for row in found]

    def close(self) -> None:
        self._thread.shutdown()


@dataclass(slots=True)
class _Job:
    verb: Callable[[Tx], Awaitable[Any]]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None
    has_errands: bool = False

    def answer(self) -> None:
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class SqliteStore:
    """`published` is told of every commit on the event loop, before the writes' callers are answered."""

    def __init__(self, path: Path, clock: Clock, published: Published) -> None:
        self._published = published
        self._clock = clock
        self._lock, self._writer, self.applied = sqlite_file.open_owned(path, clock)
        texts = load_sqlite()
        self._db = SqliteDb(self._writer, texts)
        self._readers = [sqlite_file.connect(path, readonly=True) for _ in range(2)]
        near, far = (SqliteDb(reader, texts) for reader in self._readers)
        self._reads = SqliteReads(near, far)
        self._next_tx = 0
        self._tx_limit = 0
        self._jobs: deque[_Job] = deque()
        # Set while no batch is scheduled, running or being synced.
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False
        self._left_errands: Callable[[], None] | None = None
        self._commits: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._sync, name="sojourn-commit", daemon=True)
        self._thread.start()

    @property
    def reads(self) -> StoreReads:
        return self._reads

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        if self._closed:
            raise StoreUnavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.append(_Job(verb, future))
        if self._idle.is_set():
            self._idle.clear()
            loop.call_soon(self._write_batch, loop)
        return await future

    def on_errands(self, told: Callable[[], None]) -> None:
        self._left_errands = told

    async def time(self) -> datetime:
        return self._clock.now()

    async def close(self) -> None:
        """Finish the writes already asked for, then give the file up."""
        if self._closed:
            return
        self._closed = True
        await self._idle.wait()
        self._commits.put(None)
        self._thread.join()
        self._reads.close()
        for connection in (self._writer, *self._readers):
            connection.close()
        os.close(self._lock)

    def _write_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run what waits, for at most a slice of the loop's time, and hand the commit to the thread."""
        batch: list[_Job] = []
        appended: list[StoredEvent] = []
        until = time.monotonic() + SLICE_SECONDS
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            tx = self._take_tx()
            while self._jobs and time.monotonic() < until:
                batch.append(self._jobs.popleft())
                if not self._run(batch[-1], tx, appended):
                    appended = self._run_again(batch)
                    break
        except sqlite3.Error as error:
            self._fail(batch, error)
            self._answer(loop, batch, [])
            return
        self._commits.put(lambda: self._commit(loop, batch, appended))

    def _sync(self) -> None:
        while (commit := self._commits.get()) is not None:
            commit()

    def _commit(
        self, loop: asyncio.AbstractEventLoop, batch: list[_Job], appended: list[StoredEvent]
    ) -> None:
        try:
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(batch, error)
            appended = []
        loop.call_soon_threadsafe(self._answer, loop, batch, appended)

    def _answer(
        self, loop: asyncio.AbstractEventLoop, batch: list[_Job], appended: list[StoredEvent]
    ) -> None:
        """On the loop, after the commit: first publish, then answer."""
        counters.commits += 1
        counters.verbs += len(batch)
        try:
            if appended:
                self._published(appended)
        finally:
            # Stored is stored: a follower's defect leaves nobody waiting for an answer, and stops no later write.
            for job in batch:
                job.answer()
            if self._left_errands is not None and any(job.has_errands and not job.error for job in batch):
                self._left_errands()
            if self._jobs:
                loop.call_soon(self._write_batch, loop)
            else:
                self._idle.set()

    def _run(self, job: _Job, tx: int, appended: list[StoredEvent]) -> bool:
        """Run one verb; False if it failed after it had written, and what it wrote is still there."""
        before = self._writer.total_changes
        work = SqliteTx(self._db, tx)
        try:
            job.result = run_to_end(cast(Coroutine[Any, Any, Any], job.verb(cast(Tx, work))))
        except sqlite3.Error as error:
            if not self._writer.in_transaction or _is_of_the_file(error):
                raise
            job.error = error
        except Exception as error:  # noqa: BLE001 - handed to the caller, who awaits the future
            job.error = error
        else:
            appended.extend(work.appended)
            job.has_errands = work.has_errands
            return True
        return self._writer.total_changes == before

    def _run_again(self, batch: list[_Job]) -> list[StoredEvent]:
        """Undo the batch and run each verb in a savepoint of its own, so that one that fails fails alone.

        A verb refuses before it writes, nearly always: a savepoint around every one costs more than this, rarely
        (docs/adr/0008). Running a verb twice is safe because nobody has seen what it did the first time.
        """
        self._writer.execute("ROLLBACK")
        self._next_tx = self._tx_limit = 0
        self._writer.execute("BEGIN IMMEDIATE")
        tx = self._take_tx()
        appended: list[StoredEvent] = []
        for job in batch:
            job.result = job.error = None
            job.has_errands = False
            self._writer.execute("SAVEPOINT verb")
            if not self._run(job, tx, appended):
                self._writer.execute("ROLLBACK TO verb")
            self._writer.execute("RELEASE verb")
        return appended

    def _take_tx(self) -> int:
        """One number for the whole batch: its verbs become visible together."""
        if self._next_tx == self._tx_limit:
            row = self._writer.execute(
                "UPDATE tx_counter SET next = next + ? RETURNING next - ?", (TX_BLOCK, TX_BLOCK)
            ).fetchone()
            first = int(row[0])
            self._next_tx, self._tx_limit = first, first + TX_BLOCK
        self._next_tx += 1
        return self._next_tx - 1

    def _fail(self, batch: list[_Job], error: sqlite3.Error) -> None:
        """Nothing of the batch is stored. After an I/O error nobody knows what is, so the process ends."""
        if error_code(error) in _ENDS_THE_PROCESS:
            log.critical("the database file cannot be trusted any more: %s", error)
            os._exit(EX_IOERR)
        log.error("a commit failed, and its %d requests with it: %s", len(batch), error)
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
        self._next_tx = self._tx_limit = 0
        for job in batch:
            job.error = StoreUnavailable()


def _is_of_the_file(error: sqlite3.Error) -> bool:
    return error_code(error) in _ENDS_THE_PROCESS or error_code(error) == sqlite3.SQLITE_FULL


def run_to_end(verb: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        verb.send(None)
    except StopIteration as stop:
        return cast(T, stop.value)
    verb.close()
    raise RuntimeError("a verb awaited something other than its transaction")
