"""What only Postgres has: rows that are waited for, and a server that can go away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from sojourn.domain.draft import State
from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import SessionId
from sojourn.domain.session import Activity
from sojourn.ports import Store, Tx
from tests.contract.store.make import NO_USAGE, ORG, a_turn, event, insert, locked, session_id
from tests.support.clock import HandClock
from tests.support.databases import PostgresDatabase, Told, opened

END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def store(postgres: PostgresDatabase, clock: HandClock, told: Told) -> AsyncIterator[Store]:
    async with opened(postgres, clock, told) as store:
        yield store


class Held:
    """A verb that holds a session's row from `taken` until `released`."""

    def __init__(self, store: Store, session: SessionId) -> None:
        self._store, self._session = store, session
        self.taken, self.released = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        await self._store.write(self._verb)

    async def _verb(self, tx: Tx) -> None:
        state = await tx.lock_session(ORG, self._session)
        assert state is not None
        turn = a_turn()
        await tx.write_turn(ORG, self._session, turn)
        busy = replace(state.session, activity=Activity.QUEUED, open_turn=turn.id, fence=7)
        await tx.write_session(busy, state.session.fence, NO_USAGE)
        self.taken.set()
        await self.released.wait()


async def test_a_claim_does_not_wait_for_a_row_that_another_holds(store: Store) -> None:
    session = (await insert(store)).id
    held = Held(store, session)
    holding = asyncio.create_task(held.run())
    await held.taken.wait()
    assert await store.write(lambda tx: tx.lock_session(ORG, session, wait=False)) is None
    held.released.set()
    await holding
    assert await store.write(lambda tx: tx.lock_session(ORG, session, wait=False)) is not None


async def test_whoever_waited_for_a_row_sees_the_turn_of_after_the_wait(
    store: Store, postgres: PostgresDatabase
) -> None:
    session = (await insert(store)).id
    held = Held(store, session)
    holding = asyncio.create_task(held.run())
    await held.taken.wait()

    async def lock(tx: Tx) -> State | None:
        return await tx.lock_session(ORG, session)

    waiting = asyncio.create_task(store.write(lock))
    while not postgres.query("SELECT 1 FROM pg_locks WHERE NOT granted"):
        await asyncio.wait([waiting], timeout=0.01)
    held.released.set()
    await holding
    state = await waiting
    assert state is not None
    assert state.turn is not None
    assert (state.session.fence, state.turn.id) == (7, state.session.open_turn)


async def test_verbs_that_wait_for_each_other_are_repeated_until_both_are_done(
    store: Store, postgres: PostgresDatabase, told: Told
) -> None:
    postgres.query("ALTER DATABASE " + postgres.name + " SET deadlock_timeout = '20ms'")
    postgres.query(END_OTHERS)
    one, two = session_id(), session_id()
    both = asyncio.Barrier(2)
    tries: list[SessionId] = []

    async def append(tx: Tx, first: SessionId, second: SessionId) -> None:
        tries.append(first)
        await tx.insert_ref(ORG, "task", str(first), first)
        if len(tries) <= 2:
            await both.wait()
        await tx.insert_ref(ORG, "task", str(second), second)
        await tx.append_events([event(first, 1)])

    await settled(store)
    await asyncio.gather(
        store.write(lambda tx: append(tx, one, two)), store.write(lambda tx: append(tx, two, one))
    )
    # Two, and at least one of them again: the repeated ones may meet a second time.
    assert len(tries) > 2
    assert {told_of.session for told_of in told.events} == {one, two}
    assert len(told.events) == 2


async def settled(store: Store) -> None:
    """Wait until the store has noticed that its connections are gone, and made others."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await store.write(lambda tx: tx.insert_org(ORG, "an organisation", HandClock().now()))
            except StoreUnavailable:
                continue


async def test_a_connection_lost_within_a_verb_is_a_store_that_is_not_available(
    store: Store, postgres: PostgresDatabase, told: Told
) -> None:
    session = await insert(store)

    async def verb(tx: Tx) -> None:
        await tx.write_session(replace(session, fence=9), 0, NO_USAGE)
        await tx.append_events([event(session.id, 1)])
        postgres.query(END_OTHERS)

    with pytest.raises(StoreUnavailable):
        await store.write(verb)
    assert told.events == []
    await settled(store)
    assert (await locked(store, session.id)).session == session


async def test_a_value_that_no_column_holds_is_not_taken_for_a_lost_database(store: Store) -> None:
    with pytest.raises(asyncpg.DataError, match="out of"):
        await store.write(lambda tx: tx.append_events([event(session_id(), 1, tx=2**70)]))
