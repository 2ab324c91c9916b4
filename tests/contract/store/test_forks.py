from collections.abc import Sequence
from dataclasses import replace

from sojourn.domain.filter import Compare, SessionQuery
from sojourn.domain.ids import KeyId, OrgId, TurnId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import Recalled
from sojourn.ports import Store, Tx
from tests.contract.store.make import (
    ORG,
    a_file,
    a_session,
    an_input,
    at,
    event,
    insert,
    record,
    session_id,
)
from tests.support.clock import HandClock
from tests.support.databases import Database


async def test_events_are_copied_as_they_are_under_ids_of_their_own(store: Store) -> None:
    source, target = session_id(), session_id()
    events = [
        replace(event(source, seq, tx=seq, data='{"é":"🜁"}'), turn=TurnId(uuid7()) if seq % 2 else None)
        for seq in range(1, 41)
    ]
    await store.write(lambda tx: tx.append_events(events))
    assert await store.write(lambda tx: tx.copy_events(ORG, source, target, 0, 10)) == 10
    assert await store.write(lambda tx: tx.copy_events(ORG, source, target, 10, 30)) == 20
    assert await store.write(lambda tx: tx.copy_events(ORG, source, session_id(), 40, 50)) == 0
    assert await store.write(lambda tx: tx.copy_events(OrgId(uuid7()), source, session_id(), 0, 9)) == 0
    copied = await store.reads.events_after(ORG, target, 0, 100)

    def as_source(one: StoredEvent) -> StoredEvent:
        return replace(one, session=source, id=events[one.seq - 1].id)

    assert [as_source(one) for one in copied] == events[:30]
    ids = {one.id for one in (*copied, *events)}
    assert len(ids) == 70
    assert {(id.version, id.variant) for id in ids} == {(7, "specified in RFC 4122")}


async def test_events_that_are_loaded_are_in_the_log_and_nobody_is_told(database: Database) -> None:
    session, told = session_id(), list[StoredEvent]()

    def publish(events: Sequence[StoredEvent]) -> None:
        told.extend(events)

    store = await database.open(HandClock(), publish)
    try:
        events = [event(session, seq, tx=0) for seq in (1, 2)]
        await store.write(lambda tx: tx.load_events(events))
        assert list(await store.reads.events_after(ORG, session, 0, 10)) == events
        assert told == []
        await store.write(lambda tx: tx.append_events([event(session, 3)]))
        assert [one.seq for one in told] == [3]
    finally:
        await store.close()


async def test_a_copied_event_uses_its_blob_too(store: Store) -> None:
    source, target = session_id(), session_id()
    blobs = [bytes([number]) * 32 for number in range(3)]

    async def verb(tx: Tx) -> None:
        await tx.append_events([event(source, seq) for seq in (1, 2, 3)])
        await tx.use_blobs(ORG, source, list(enumerate(blobs, 1)))
        await tx.copy_events(ORG, source, target, 0, 1)
        await tx.copy_events(ORG, source, target, 1, 2)

    await store.write(verb)
    assert [await store.reads.uses_blob(ORG, target, blob) for blob in blobs] == [True, True, False]


async def test_a_page_of_a_log_stops_where_it_is_told(store: Store) -> None:
    session = session_id()
    events = [event(session, seq, type="ab"[seq % 2]) for seq in range(1, 9)]
    await store.write(lambda tx: tx.append_events(events))

    async def seqs(after: int, limit: int, types: tuple[str, ...], upto: int) -> list[int]:
        return [one.seq for one in await store.reads.events_after(ORG, session, after, limit, types, upto)]

    assert await seqs(0, 10, (), 3) == [1, 2, 3]
    assert await seqs(1, 10, ("b",), 5) == [3, 5]
    assert await seqs(0, 2, ("a", "b"), 5) == [1, 2]
    assert await seqs(5, 10, (), 5) == []


async def test_rows_of_a_session_that_never_came_are_purged_after_their_time(
    store: Store, database: Database
) -> None:
    staged, kept = session_id(), session_id()

    async def stage(tx: Tx) -> None:
        for session in (staged, kept):
            await tx.stage_session(ORG, session, at(60))
            await tx.append_events([event(session, 1)])
            await tx.write_input(ORG, session, an_input(1))
            await tx.write_file(ORG, session, a_file("a"))

    await store.write(stage)
    assert await store.write(lambda tx: tx.purge_deleted(at(59), 10)) == 0
    assert await store.write(lambda tx: tx.unstage_session(ORG, kept, at(59)))
    assert await store.write(lambda tx: tx.get_tombstone(ORG, kept)) is None
    assert not await store.write(lambda tx: tx.unstage_session(ORG, kept, at(59)))
    assert not await store.write(lambda tx: tx.unstage_session(ORG, staged, at(60)))
    assert await store.write(lambda tx: tx.purge_deleted(at(60), 10)) == 3
    assert not await store.write(lambda tx: tx.unstage_session(ORG, staged, at(59)))
    assert {id for (id,) in database.query("SELECT session FROM events")} == {kept.bytes}
    assert {id for (id,) in database.query("SELECT session FROM files")} == {kept.bytes}


async def test_a_fork_is_found_by_what_it_was_forked_from(store: Store) -> None:
    parent = await insert(store)
    forks = [
        record(a_session(created_at=at(seconds)), forked_from=parent.id, forked_seq=seconds)
        for seconds in (1, 2)
    ]
    for fork in forks:
        assert await store.write(lambda tx, fork=fork: tx.insert_session(fork))
    other = await insert(store, record(forked_from=session_id(), forked_seq=1))
    query = SessionQuery(where=Compare("forked_from", "eq", parent.id), order="asc")
    assert await store.reads.list_sessions(ORG, query) == forks
    none = SessionQuery(where=Compare("forked_from", "is_null"))
    assert [one.session.id for one in await store.reads.list_sessions(ORG, none)] == [parent.id]
    stored = await store.reads.get_session(ORG, other.id)
    assert stored is not None
    assert stored.forked_seq == 1


async def test_what_a_request_answered_is_recalled_without_taking_its_key(store: Store) -> None:
    place = (ORG, KeyId(uuid7()), "fork", "once")
    answer = Recalled(b"hash", 201, {"session": "x"})
    assert await store.reads.recall(*place) is None

    async def verb(tx: Tx) -> None:
        assert await tx.reserve_key(*place, at(0)) is None
        await tx.remember(*place, answer, at(0))

    await store.write(verb)
    assert await store.reads.recall(*place) == answer
    assert await store.reads.recall(OrgId(uuid7()), *place[1:]) is None
