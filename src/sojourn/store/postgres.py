"""Postgres: one transaction a verb, row locks, and the same SQL texts where both databases accept them."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import asyncpg

from sojourn.domain.agent import Agent
from sojourn.domain.draft import State
from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import AgentId, KeyId, OrgId, SessionId
from sojourn.domain.org import Org
from sojourn.domain.record import DrivenSession, Recalled
from sojourn.domain.turn import Turn
from sojourn.ports import Clock, Published, Tx
from sojourn.store import migrate, rows
from sojourn.store.db import load_postgres
from sojourn.store.pulses import NOTHING_KNOWN, Known, learn, read_pulses, to_read
from sojourn.store.reads import StoreReads
from sojourn.store.rows import Params, Row
from sojourn.store.tx import StoreTx
from sojourn.store.where import Dialect
from sojourn.telemetry import counters

T = TypeVar("T")
Texts = Mapping[str, tuple[str, tuple[str, ...]]]
log = logging.getLogger(__name__)

# A verb meets another's lock in the opposite order only by a bug, or by an index's; it is repeated this often.
MAX_ATTEMPTS: Final = 3
# More sessions than this are not named one by one in a query.
MOST_NAMED: Final = 500
# A process that is stopped between two statements of a transaction (SIGSTOP, a frozen machine, a lost network) holds
# the session's row; well before a turn's lease lapses the server takes it away from that process.
_SETTINGS: Final = {"idle_in_transaction_session_timeout": "10s"}
# Any number that no other program locks: it serialises the migrations of processes that start together.
MIGRATION_LOCK: Final = 0x50_0A_0A_A1


class PostgresDb:
    dialect: Dialect = "postgres"

    def __init__(self, client: Any, texts: Texts) -> None:
        self._client = client
        self._texts = texts

    async def one(self, name: str, params: Params) -> Row | None:
        text, values = self._bind(name, params)
        return cast(Row | None, await self._client.fetchrow(text, *values))

    async def all(self, name: str, params: Params) -> Sequence[Row]:
        text, values = self._bind(name, params)
        return cast(Sequence[Row], await self._client.fetch(text, *values))

    async def run(self, name: str, params: Params) -> int:
        text, values = self._bind(name, params)
        tag: str = await self._client.execute(text, *values)
        return int(tag.rsplit(" ", 1)[-1])

    async def many(self, name: str, params: Sequence[Params]) -> None:
        text, names = self._texts[name]
        counters.statements += 1
        await self._client.executemany(text, [[row[name] for name in names] for row in params])

    async def select(self, text: str, values: Sequence[object]) -> Sequence[Row]:
        counters.statements += 1
        return cast(Sequence[Row], await self._client.fetch(text, *values))

    def _bind(self, name: str, params: Params) -> tuple[str, list[object]]:
        text, names = self._texts[name]
        counters.statements += 1
        return text, [params[name] for name in names]


class _PooledDb(PostgresDb):
    """Reads outside of a transaction, each on whichever connection is free."""

    async def one(self, name: str, params: Params) -> Row | None:
        async with translated():
            return await super().one(name, params)

    async def all(self, name: str, params: Params) -> Sequence[Row]:
        async with translated():
            return await super().all(name, params)

    async def select(self, text: str, values: Sequence[object]) -> Sequence[Row]:
        async with translated():
            return await super().select(text, values)


class PostgresTx(StoreTx):
    async def lock_session(self, org: OrgId, session: SessionId, wait: bool = True) -> State | None:
        name = "lock_session" if wait else "try_lock_session"
        row = await self._db.one(name, {"org": org, "id": session})
        if row is None:
            return None
        locked = rows.session_of(row)
        turn: Turn | None = None
        if locked.open_turn is not None:
            turn = await self.get_turn(org, session, locked.open_turn)
        return await self._state(org, locked, turn)

    async def lock_org(self, org: OrgId) -> Org | None:
        await self._db.one("lock_org", {"id": org})
        return await self.get_org(org)

    async def lock_agent(self, org: OrgId, agent: AgentId) -> Agent | None:
        await self._db.one("lock_agent", {"org": org, "id": agent})
        return await self.get_agent(org, agent)

    async def lock_alias(self, org: OrgId, alias: str) -> None:
        await self._db.one("lock_alias", {"place": f"{org}/{alias}"})

    async def lock_memories(self, org: OrgId, agent: AgentId) -> None:
        await self._db.one("lock_memories", {"place": f"{org}/memories/{agent}"})

    async def next_tx(self, org: OrgId, session: SessionId) -> int:
        row = await self._db.one("next_tx", {"org": org, "session": session})
        assert row is not None
        return int(row[0])

    async def reserve_key(
        self, org: OrgId, key: KeyId, operation: str, idempotency_key: str, now: datetime
    ) -> Recalled | None:
        # The insert waits for a transaction that holds the same key, so the record read after it is committed or
        # its own; a holder that rolled back leaves the place free, and the insert takes it.
        params = {"org": org, "key": key, "operation": operation, "idempotency_key": idempotency_key}
        if await self._db.run("reserve_key", params | {"created_at": rows.to_micros(now)}):
            return None
        return await self.recall(org, key, operation, idempotency_key)


class PostgresReads(StoreReads):
    """A whole roster is asked for all the time, and little of it changes in between: see `pulses.py`."""

    def __init__(self, db: PostgresDb) -> None:
        super().__init__(db)
        self._known: dict[OrgId, Known] = {}

    async def driven_sessions(
        self, org: OrgId, among: Sequence[SessionId] | None = None
    ) -> Sequence[DrivenSession]:
        if among is not None:
            return await super().driven_sessions(org, among)
        row = await self._db.one("driven_pulses", {"org": org})
        assert row is not None
        data: bytes = row[0] or b""
        known = self._known.get(org, NOTHING_KNOWN)
        if data == known.data:
            return known.roster
        pulses = read_pulses(data)
        missing = to_read(known, pulses)
        found: Sequence[DrivenSession] = ()
        if missing:
            found = await super().driven_sessions(org, None if len(missing) > MOST_NAMED else missing)
        known = self._known[org] = learn(known, data, pulses, found)
        return known.roster


class PostgresStore:
    def __init__(self, pool: Any, published: Published, texts: Texts, applied: Sequence[str]) -> None:
        self.applied = applied
        self._pool = pool
        self._published = published
        self._texts = texts
        self._reads = PostgresReads(_PooledDb(pool, texts))
        self._left_errands: Callable[[], None] | None = None

    @classmethod
    async def open(
        cls, url: str, clock: Clock, published: Published, connections: int = 10
    ) -> "PostgresStore":
        async with translated():
            pool = await asyncpg.create_pool(
                url, min_size=1, max_size=connections, init=_prepare, server_settings=_SETTINGS
            )
            try:
                async with pool.acquire() as connection:
                    applied = await _migrate(connection, clock)
            except BaseException:
                pool.terminate()
                raise
        return cls(pool, published, load_postgres(), applied)

    @property
    def reads(self) -> StoreReads:
        return self._reads

    async def write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return await self._write(verb)
            except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
                if attempt == MAX_ATTEMPTS:
                    raise StoreUnavailable from None
            except asyncpg.UniqueViolationError:
                # A rival took the place after the verb had found it free; the next try finds it taken, and says so.
                if attempt == MAX_ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def _write(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        async with translated(), self._pool.acquire() as connection:
            async with connection.transaction():
                tx = PostgresTx(PostgresDb(connection, self._texts))
                result = await verb(cast(Tx, tx))
            counters.commits += 1
            counters.verbs += 1
        # The commit is durable: tell the followers, then the caller.
        if tx.appended:
            self._published(tx.appended)
        if tx.has_errands and self._left_errands is not None:
            self._left_errands()
        return result

    def on_errands(self, told: Callable[[], None]) -> None:
        self._left_errands = told

    async def time(self) -> datetime:
        async with translated():
            return cast(datetime, await self._pool.fetchval("SELECT clock_timestamp()"))

    async def close(self) -> None:
        await self._pool.close()


@asynccontextmanager
async def translated() -> AsyncGenerator[None]:
    """The one place where a driver's error becomes ours."""
    try:
        yield
    except (
        TimeoutError,
        OSError,
        asyncpg.InterfaceError,
        asyncpg.PostgresConnectionError,
        asyncpg.IdleInTransactionSessionTimeoutError,
        asyncpg.OperatorInterventionError,
        asyncpg.InsufficientResourcesError,
    ) as error:
        log.warning("the database cannot be reached: %s", error)
        raise StoreUnavailable from error


async def _prepare(connection: Any) -> None:
    """Ids travel as their 16 bytes, as in SQLite, so that one set of row readers serves both."""
    await connection.set_type_codec(
        "uuid", schema="pg_catalog", format="binary", encoder=_id_bytes, decoder=_identity
    )


def _id_bytes(value: UUID | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.bytes


def _identity(value: bytes) -> bytes:
    return value


async def _migrate(connection: Any, clock: Clock) -> Sequence[str]:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        await connection.execute(migrate.LEDGER)
        applied = dict(await connection.fetch("SELECT name, sha256 FROM schema_migrations"))
        pending = migrate.pending(migrate.load_migrations("postgres"), applied)
        for migration in pending:
            await connection.execute(migration.text)
            await connection.execute(
                "INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ($1, $2, $3)",
                migration.name,
                migration.sha256,
                rows.to_micros(clock.now()),
            )
        return [migration.name for migration in pending]
