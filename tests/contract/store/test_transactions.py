import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import SessionId
from sojourn.domain.log import StoredEvent
from sojourn.ports import Store, Tx
from tests.contract.store.make import (
    NO_USAGE,
    ORG,
    Refused,
    a_session,
    event,
    insert,
    locked,
    record,
    refused,
    session_id,
)
from tests.support.clock import HandClock
from tests.support.databases import Database, Told, opened


async def append(tx: Tx, session: SessionId, seq: int = 1) -> StoredEvent:
    said = event(session, seq, tx=await tx.next_tx(ORG, session))
    await tx.append_events([said])
    return said


def seqs(database: Database, session: SessionId) -> list[int]:
    """What another connection sees of a session's log."""
    found = database.query("SELECT session, seq FROM events ORDER BY seq")
    return [seq for of, seq in found if of == session.bytes]


async def test_an_answer_follows_a_durable_commit(store: Store, database: Database) -> None:
    session = session_id()
    await store.write(lambda tx: append(tx, session))
    assert seqs(database, session) == [1]


async def test_a_commit_is_durable_before_it_is_published_and_published_before_it_is_answered(
    database: Database, clock: HandClock
) -> None:
    session = session_id()
    story: list[str] = []

    def publish(events: Sequence[StoredEvent]) -> None:
        story.append(f"published {[one.seq for one in events]} of {seqs(database, session)}")

    async with opened(database, clock, publish) as store:
        for seq in (1, 2):
            await store.write(lambda tx, seq=seq: append(tx, session, seq))
            story.append(f"answered {seq}")
    assert story == ["published [1] of [1]", "answered 1", "published [2] of [1, 2]", "answered 2"]


async def test_what_is_published_is_what_is_stored(database: Database, clock: HandClock) -> None:
    told = Told()
    async with opened(database, clock, told) as store:
        ids = [session_id() for _ in range(20)]
        await asyncio.gather(*(store.write(lambda tx, id=id: append(tx, id)) for id in ids))
        stored = [one for id in ids for one in await store.reads.events_after(ORG, id, 0, 10)]
    assert sorted(told.events, key=lambda one: one.session) == sorted(stored, key=lambda one: one.session)


async def test_a_failing_verb_fails_alone(database: Database, clock: HandClock) -> None:
    """However many share its commit: those before it and behind it are stored, and nothing of it is told."""
    told = Told()
    taken = session_id()

    async def breaks_a_constraint(tx: Tx) -> None:
        await append(tx, session_id())
        await append(tx, taken)
        await append(tx, taken)

    async def raises(tx: Tx) -> None:
        await append(tx, session_id())
        raise Refused

    async with opened(database, clock, told) as store:
        ids = [session_id() for _ in range(30)]
        good = [store.write(lambda tx, id=id: append(tx, id)) for id in ids]
        results = await asyncio.gather(
            *good[:10],
            store.write(breaks_a_constraint),
            *good[10:20],
            store.write(raises),
            *good[20:],
            return_exceptions=True,
        )
    failures = [result for result in results if isinstance(result, BaseException)]
    assert [results.index(failure) for failure in failures] == [10, 21]
    assert isinstance(failures[1], Refused)
    assert {one.session for one in told.events} == set(ids)
    assert len(database.query("SELECT 1 FROM events")) == 30


async def test_reads_see_commits_only_and_a_verb_sees_its_own_writes(
    store: Store, database: Database
) -> None:
    session = session_id()
    seen: list[object] = []

    async def verb(tx: Tx) -> None:
        await tx.insert_session(record(a_session(id=session)))
        await append(tx, session)
        seen.append(await tx.get_session(ORG, session) is not None)
        seen.append(len(await tx.events_after(ORG, session, 0, 10)))
        seen.append(seqs(database, session))

    await store.write(verb)
    assert seen == [True, 1, []]
    assert seqs(database, session) == [1]


async def test_a_rolled_back_verb_leaves_nothing(store: Store) -> None:
    session = await insert(store)

    async def verb(tx: Tx) -> None:
        await tx.write_session(replace(session, fence=9), 0, NO_USAGE)
        await append(tx, session.id)

    await refused(store, verb)
    assert (await locked(store, session.id)).session == session
    assert await store.reads.events_after(ORG, session.id, 0, 10) == []


async def test_an_update_is_never_lost_between_two_verbs(store: Store) -> None:
    session = await insert(store)

    async def add(tx: Tx) -> None:
        state = await tx.lock_session(ORG, session.id)
        assert state is not None
        turns = state.session.turns + 1
        await tx.write_session(replace(state.session, turns=turns), 0, NO_USAGE)

    await asyncio.gather(*(store.write(add) for _ in range(40)))
    assert (await locked(store, session.id)).session.turns == 40


async def test_what_was_committed_is_there_after_a_restart(database: Database, clock: HandClock) -> None:
    async with opened(database, clock) as store:
        session = await insert(store, record(title="kept"))
    async with opened(database, clock) as store:
        stored = await store.reads.get_session(ORG, session.id)
    assert stored is not None
    assert stored.title == "kept"


async def test_a_closed_store_refuses_writes_and_finishes_those_it_took(
    database: Database, clock: HandClock
) -> None:
    store = await database.open(clock)
    ids = [session_id() for _ in range(10)]
    writes = [asyncio.create_task(store.write(lambda tx, id=id: append(tx, id))) for id in ids]
    await asyncio.gather(*writes[:1])
    await store.close()
    results = await asyncio.gather(*writes, return_exceptions=True)
    stored = sum(not isinstance(result, BaseException) for result in results)
    assert len(database.query("SELECT 1 FROM events")) == stored
    with pytest.raises(StoreUnavailable):
        await store.write(lambda tx: append(tx, session_id()))
