"""SQLite: one writer thread with group commit, reads on connections of their own, one process per file.

Why the writer needs no locks between verbs: it is the only connection that writes, and it runs one verb to its end
before the next. Why a reader never sees half a verb: WAL readers see whole commits.
"""

import asyncio
import fcntl
import logging
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from sojourn.domain.agent import Agent
from sojourn.domain.draft import State
from sojourn.domain.errors import DomainError, StoreUnavailable
from sojourn.domain.filter import SessionQuery
from sojourn.domain.ids import AgentId, OrgId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import SessionRecord
from sojourn.ports import Clock, Published, Tx
from sojourn.store import migrate, rows
from sojourn.store.db import load_sqlite
from sojourn.store.reads import StoreReads, compile_list
from sojourn.store.rows import Params, Row
from sojourn.store.tx import StoreTx
from sojourn.store.where import Dialect
from sojourn.telemetry import counters

T = TypeVar("T")
log = logging.getLogger(__name__)

# Verbs in one commit at most: more would only delay the first of them.
MAX_BATCH: Final = 256
# Transaction numbers are reserved this many at a time, so that a commit does not pay for one.
TX_BLOCK: Final = 100_000
EX_IOERR: Final = 74

sqlite3.register_adapter(UUID, lambda id: id.bytes)


class FileOwned(Exception):
    """Another process owns the database file."""


class SqliteDb:
    """The methods are coroutines that never suspend, so that a verb can be run without an event loop."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, texts: dict[str, str]) -> None:
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

    async def lock_agent(self, org: OrgId, agent: AgentId) -> Agent | None:
        return await self.get_agent(org, agent)

    async def next_tx(self) -> int:
        return self._tx


class SqliteReads(StoreReads):
    """Reads on the event loop's own thread: each is a bounded page by an index, cheaper than a change of thread.

    A list may scan (a filter on metadata has no index), so it runs beside the loop, on its own connection.
    """

    def __init__(self, near: SqliteDb, far: SqliteDb) -> None:
        super().__init__(near)
        self._far = far
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sojourn-list")

    async def list_sessions(self, org: OrgId, query: SessionQuery) -> Sequence[SessionRecord]:
        text, values = compile_list(org, query, self._far)
        select = self._far.select(text, values)
        found = await asyncio.get_running_loop().run_in_executor(self._thread, run_to_end, select)
        return [rows.session_record_of(row) for row in found]

    def close(self) -> None:
        self._thread.shutdown()


@dataclass(slots=True)
class _Job:
    verb: Callable[[Tx], Awaitable[Any]]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: Exception | None = None


class SqliteStore:
    """`published` is told of every commit on the loop of the writes' callers, before these are answered."""

    def __init__(self, path: Path, clock: Clock, published: Published) -> None:
        self._lock = _own(path)
        self._published = published
        texts = load_sqlite()
        self._writer = _connect(path)
        _migrate(self._writer, clock)
        self._db = SqliteDb(self._writer, texts)
        self._readers = [_connect(path, readonly=True) for _ in range(2)]
        near, far = (SqliteDb(reader, texts) for reader in self._readers)
        self._reads = SqliteReads(near, far)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._next_tx = 0
        self._tx_limit = 0
        self._closed = False
        self._thread = threading.Thread(target=self._write_batches, name="sojourn-writer", daemon=True)
        self._thread.start()

    @property
    def reads(self) -> StoreReads:
        return self._reads

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        if self._closed:
            raise StoreUnavailable
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(verb, future, loop))
        return await future

    async def close(self) -> None:
        """Finish the writes already asked for, then give the file up."""
        if self._closed:
            return
        self._closed = True
        self._jobs.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._reads.close()
        for connection in (self._writer, *self._readers):
            connection.close()
        os.close(self._lock)

    def _write_batches(self) -> None:
        while True:
            batch, is_last = self._next_batch()
            if batch:
                self._write_batch(batch)
            if is_last:
                return

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Everything that arrived while the last batch was synced, so that the next sync is shared."""
        job = self._jobs.get()
        batch: list[_Job] = []
        try:
            while job is not None:
                batch.append(job)
                if len(batch) == MAX_BATCH:
                    return batch, False
                job = self._jobs.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _write_batch(self, batch: list[_Job]) -> None:
        appended: list[StoredEvent] = []
        try:
            self._writer.execute("BEGIN IMMEDIATE")
            tx = self._take_tx()
            for job in batch:
                self._run(job, tx, appended)
            self._writer.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(batch, error)
            appended = []
        counters.commits += 1
        counters.verbs += len(batch)
        batch[0].loop.call_soon_threadsafe(self._answer, batch, appended)

    def _run(self, job: _Job, tx: int, appended: list[StoredEvent]) -> None:
        """One verb in a savepoint: if it fails, it fails alone."""
        self._writer.execute("SAVEPOINT verb")
        work = SqliteTx(self._db, tx)
        try:
            job.result = run_to_end(cast(Coroutine[Any, Any, Any], job.verb(cast(Tx, work))))
        except DomainError as error:
            job.error = error
        except sqlite3.IntegrityError as error:
            job.error = error
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - handed to the caller, who awaits the future
            job.error = error
        if job.error is None:
            appended.extend(work.appended)
        else:
            self._writer.execute("ROLLBACK TO verb")
        self._writer.execute("RELEASE verb")

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
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            log.critical("the database file cannot be trusted any more: %s", error)
            os._exit(EX_IOERR)
        log.error("a commit failed, and its %d requests with it: %s", len(batch), error)
        if self._writer.in_transaction:
            self._writer.execute("ROLLBACK")
        self._next_tx = self._tx_limit = 0
        for job in batch:
            job.error = StoreUnavailable()

    def _answer(self, batch: list[_Job], appended: list[StoredEvent]) -> None:
        """On the loop, after the commit: first publish, then answer."""
        if appended:
            self._published(appended)
        for job in batch:
            if job.future.done():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)


def run_to_end(verb: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        verb.send(None)
    except StopIteration as stop:
        return cast(T, stop.value)
    verb.close()
    raise RuntimeError("a verb awaited something other than its transaction")


def _own(path: Path) -> int:
    """Hold the file against other processes for as long as this one lives; the kernel lets go when it dies."""
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise FileOwned(f"{path} is in use by another Sojourn process.") from None
    return lock


def _connect(path: Path, readonly: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")
    # A savepoint keeps the old image of every page that its verb touches; in a temporary file, which is the default,
    # that costs a third of a create.
    connection.execute("PRAGMA temp_store = MEMORY")
    if readonly:
        connection.execute("PRAGMA query_only = ON")
    return connection


def _migrate(connection: sqlite3.Connection, clock: Clock) -> None:
    connection.execute(migrate.LEDGER)
    applied = dict(connection.execute("SELECT name, sha256 FROM schema_migrations").fetchall())
    for migration in migrate.pending(migrate.load_migrations("sqlite"), applied):
        # executescript would commit first: the script carries its own transaction instead.
        connection.executescript(f"BEGIN IMMEDIATE;\n{migration.text}")
        connection.execute(
            "INSERT INTO schema_migrations (name, sha256, applied_at) VALUES (?, ?, ?)",
            (migration.name, migration.sha256, rows.to_micros(clock.now())),
        )
        connection.execute("COMMIT")
