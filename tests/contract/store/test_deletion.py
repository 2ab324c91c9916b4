import asyncio
import hashlib

from sojourn.domain.filter import HasTag, SessionQuery
from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.domain.policy import Timer
from sojourn.domain.record import SessionRecord, session_secret
from sojourn.ports import Store, Tx
from sojourn.store.tx import BLOBS_PURGED_AT_ONCE, PURGED_AT_ONCE
from tests.contract.store.make import (
    ORG,
    a_budget,
    a_budget_entry,
    a_file,
    a_lease,
    a_session,
    a_tombstone,
    a_turn,
    an_ask,
    an_input,
    at,
    event,
    insert,
    insert_org,
    record,
)
from tests.support.databases import Database

TABLES = (
    "events",
    "inputs",
    "turns",
    "asks",
    "facets",
    "files",
    "blob_uses",
    "refs",
    "tags",
    "leases",
    "timers",
    "budgets",
    "budget_entries",
    "sessions",
)


async def full(store: Store) -> SessionRecord:
    """A session with a row in every table."""
    new = record(a_session(), tags=("a", "b"), external_id=f"order {uuid7()}")
    id = new.session.id
    await insert(store, new)
    turn, budget = a_turn(), a_budget(id)

    async def verb(tx: Tx) -> None:
        assert new.external_id is not None
        await tx.insert_ref(ORG, "external_id", new.external_id, id)
        await tx.append_events([event(id, 1), event(id, 2)])
        await tx.write_input(ORG, id, an_input(2))
        await tx.write_turn(ORG, id, turn)
        await tx.write_ask(ORG, id, an_ask(turn.id))
        await tx.write_facet(ORG, id, "kodexa", "{}")
        await tx.put_blob(ORG, hashlib.sha256(b"data").digest(), b"data")
        await tx.write_file(ORG, id, a_file("a.txt", b"data"))
        await tx.use_blobs(ORG, id, [(2, hashlib.sha256(b"data").digest())])
        await tx.acquire_lease(a_lease(id))
        await tx.acquire_lease(a_lease(id, "presence", "laptop", None))
        await tx.write_timers(ORG, id, [Timer("idle", at(1))])
        await tx.write_budget(ORG, budget)
        await tx.append_budget_entries(ORG, [a_budget_entry(budget)])

    await store.write(verb)
    return new


def rows_of(database: Database, session: SessionId) -> dict[str, int]:
    """How many rows each table has for a session, without those that have none."""
    counts: dict[str, int] = {}
    for table in TABLES:
        column = {"sessions": "id", "budgets": "subject"}.get(table, "session")
        found = [id for (id,) in database.query(f"SELECT {column} FROM {table}") if id == session.bytes]
        if found:
            counts[table] = len(found)
    return counts


async def delete(store: Store, gone: SessionRecord) -> None:
    await store.write(lambda tx: tx.delete_session(gone, a_tombstone(gone.session.id)))


async def test_a_deleted_session_is_nowhere_and_leaves_its_tombstone(
    store: Store, database: Database
) -> None:
    gone, kept = await full(store), await full(store)
    id = gone.session.id
    tombstone = a_tombstone(id)
    await store.write(lambda tx: tx.delete_session(gone, tombstone))
    assert await store.reads.get_session(ORG, id) is None
    assert await store.write(lambda tx: tx.lock_session(ORG, id)) is None
    assert await store.reads.head_seqs(ORG, [id]) == {}
    assert gone.external_id is not None
    assert await store.reads.find_session(ORG, "external_id", gone.external_id) is None
    listed = await store.reads.list_sessions(ORG, SessionQuery(where=HasTag("a")))
    assert [one.session.id for one in listed] == [kept.session.id]
    assert await store.reads.get_tombstone(ORG, id) == tombstone
    assert await store.reads.get_tombstone(OrgId(uuid7()), id) is None
    left = ("inputs", "asks", "facets", "files", "blob_uses", "budgets", "budget_entries")
    assert rows_of(database, id) == {"events": 2, **dict.fromkeys(left, 1)}


async def test_a_purge_removes_the_history_of_deleted_sessions_only(store: Store, database: Database) -> None:
    gone, kept = await full(store), await full(store)
    before = rows_of(database, kept.session.id)
    await delete(store, gone)
    assert await store.write(lambda tx: tx.purge_deleted(at(9), 10)) == 9
    assert rows_of(database, gone.session.id) == {}
    assert rows_of(database, kept.session.id) == before
    assert await store.reads.get_tombstone(ORG, gone.session.id) is not None
    assert await store.write(lambda tx: tx.purge_deleted(at(10), 10)) == 0


async def test_a_purge_removes_a_long_history_a_piece_at_a_time(store: Store, database: Database) -> None:
    gone = await full(store)
    id = gone.session.id
    await store.write(lambda tx: tx.append_events([event(id, seq) for seq in range(3, 3_001)]))
    await delete(store, gone)
    pieces: list[int] = []
    while piece := await store.write(lambda tx: tx.purge_deleted(at(9), 10)):
        pieces.append(piece)
    assert (sum(pieces), max(pieces)) == (3_007, PURGED_AT_ONCE)
    assert rows_of(database, id) == {}


async def test_a_purge_takes_no_more_sessions_than_it_is_told(store: Store) -> None:
    for _ in range(3):
        await delete(store, await full(store))
    assert await store.write(lambda tx: tx.purge_deleted(at(9), 2)) == 18
    assert await store.write(lambda tx: tx.purge_deleted(at(9), 2)) == 9


async def test_nothing_of_a_deleted_session_is_due_or_ready(store: Store) -> None:
    await insert_org(store)
    gone = await full(store)
    assert len(await store.reads.ready_turns("model", at(99), 10)) == 1
    await delete(store, gone)
    assert await store.reads.ready_turns("model", at(99), 10) == []
    assert await store.reads.due_timers(at(99), 10) == []
    assert await store.reads.list_presences(ORG, gone.session.id) == []


async def test_the_secrets_of_a_deleted_session_go_with_it_and_no_others(store: Store) -> None:
    await insert_org(store)
    gone, kept = await full(store), await full(store)
    names = [session_secret(gone.session.id, "TOKEN"), session_secret(kept.session.id, "TOKEN"), "session/x"]

    async def put(tx: Tx) -> None:
        for name in names:
            await tx.write_secret(ORG, name, b"sealed", at(1))

    await store.write(put)
    await delete(store, gone)
    left = [name for name in names if await store.reads.get_secret(ORG, name) is not None]
    assert left == names[1:]


async def test_a_blob_is_purged_with_the_last_session_that_uses_it(store: Store, database: Database) -> None:
    gone, kept = await full(store), await full(store)
    shared = hashlib.sha256(b"data").digest()
    own = [hashlib.sha256(bytes([number])).digest() for number in range(2 * BLOBS_PURGED_AT_ONCE + 1)]

    async def use(tx: Tx) -> None:
        for sha256 in own:
            await tx.put_blob(ORG, sha256, b"its own")
            await tx.use_blobs(ORG, gone.session.id, [(1, sha256), (2, sha256)])

    await store.write(use)
    assert await store.reads.uses_blob(ORG, gone.session.id, own[0])
    assert not await store.reads.uses_blob(ORG, kept.session.id, own[0])
    assert not await store.reads.uses_blob(OrgId(uuid7()), gone.session.id, own[0])
    await delete(store, gone)
    while await store.write(lambda tx: tx.purge_deleted(at(9), 10)):
        pass
    assert rows_of(database, gone.session.id) == {}
    assert [bytes(sha256) for (sha256,) in database.query("SELECT sha256 FROM blobs")] == [shared]
    assert await store.reads.uses_blob(ORG, kept.session.id, shared)
    await delete(store, kept)
    while await store.write(lambda tx: tx.purge_deleted(at(9), 10)):
        pass
    assert database.query("SELECT sha256 FROM blobs") == []


async def test_a_blob_that_is_used_again_during_its_purge_stays(store: Store) -> None:
    gone, data = await full(store), b"data"
    user = (await insert(store)).id
    sha256 = hashlib.sha256(data).digest()
    await delete(store, gone)

    async def use(tx: Tx) -> None:
        await tx.put_blob(ORG, sha256, data)
        await tx.use_blobs(ORG, user, [(1, sha256)])

    await asyncio.gather(store.write(use), store.write(lambda tx: tx.purge_deleted(at(9), 10)))
    assert await store.reads.get_blob(ORG, sha256) == data
    assert await store.reads.uses_blob(ORG, user, sha256)
