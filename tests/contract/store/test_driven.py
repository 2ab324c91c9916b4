"""Presences by outside names, and the roster of what is driven from outside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.ports import Store, Tx
from tests.contract.store.make import NO_USAGE, ORG, a_lease, a_session, at, insert, record, session_id
from tests.support.clock import START

# The stores time beats by different clocks; both agree on these.
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
NOW = datetime.now(UTC)


async def driven(
    store: Store, name: str, created_at: datetime = START, holder: str = "laptop"
) -> SessionRecord:
    """A session that has a name and a presence from its creation on, last heard of long ago."""
    session = a_session(created_at, presences=1, activity=Activity.BUSY)
    new = record(session, origin="swarm", facet='{"task": 1}')

    async def verb(tx: Tx) -> None:
        assert await tx.insert_session(new)
        await tx.write_facet(ORG, session.id, "swarm", '{"task": 1}')
        await tx.write_facet(ORG, session.id, "kodexa", '{"other": 1}')
        assert await tx.insert_ref(ORG, "task", name, session.id)
        lease = a_lease(session.id, "presence", holder, None)
        await tx.insert_lease(replace(lease, last_seen_at=LONG_AGO))

    await store.write(verb)
    return new


async def test_a_session_may_be_driven_from_its_creation_on(store: Store) -> None:
    new = await driven(store, "7")
    assert await store.reads.get_session(ORG, new.session.id, "swarm") == new
    (lease,) = await store.reads.list_presences(ORG, new.session.id)
    assert (lease.holder, lease.last_seen_at) == ("laptop", LONG_AGO)


async def test_a_beat_by_name_renews_its_own_holders_presence(store: Store) -> None:
    new = await driven(store, "7")

    async def beat(name: str, holder: str) -> object:
        return await store.write(lambda tx: tx.renew_presence_of(ORG, "task", name, holder, NOW))

    assert await beat("8", "laptop") is None
    assert await beat("7", "desk") is None
    assert await beat("7", "laptop") == new.session.id
    (lease,) = await store.reads.list_presences(ORG, new.session.id)
    assert lease.last_seen_at >= NOW - timedelta(minutes=1)


async def test_a_presence_that_was_quiet_for_long_enough_is_released_and_no_other(store: Store) -> None:
    quiet, alive = await driven(store, "quiet"), await driven(store, "alive")
    await store.write(lambda tx: tx.renew_presence_of(ORG, "task", "alive", "laptop", NOW))

    async def release(of: SessionRecord, holder: str = "laptop") -> bool:
        id = of.session.id
        return await store.write(lambda tx: tx.release_quiet_presence(ORG, id, holder, NOW, 3600))

    assert not await release(quiet, "desk")
    assert not await release(alive)
    assert await release(quiet)
    assert not await release(quiet)
    assert len(await store.reads.list_presences(ORG, alive.session.id)) == 1


async def test_a_name_moves_only_from_whoever_has_it(store: Store) -> None:
    owner, rival = await driven(store, "7"), session_id()
    assert not await store.write(lambda tx: tx.move_ref(ORG, "task", "7", session_id(), rival))
    assert not await store.write(lambda tx: tx.move_ref(ORG, "task", "8", owner.session.id, rival))
    assert await store.write(lambda tx: tx.move_ref(ORG, "task", "7", owner.session.id, rival))
    assert await store.reads.find_session(ORG, "task", "7") == rival


async def test_a_roster_has_the_open_driven_sessions_newest_first(store: Store) -> None:
    old, new = await driven(store, "old"), await driven(store, "new", at(5))
    ended = await driven(store, "ended", at(6))
    await insert(store)
    over = replace(
        ended.session, status=SessionStatus.COMPLETED, activity=Activity.IDLE, ended_at=at(7), presences=0
    )
    await store.write(lambda tx: tx.write_session(over, 0, NO_USAGE))
    found = await store.reads.driven_sessions(ORG)
    assert [one.id for one in found] == [new.session.id, old.session.id]
    assert {one.facet for one in found} == {'{"task": 1}'}
    assert {one.last_seen_at for one in found} == {LONG_AGO}


async def test_a_roster_of_some_has_those_only(store: Store) -> None:
    one, two = await driven(store, "one"), await driven(store, "two")
    found = await store.reads.driven_sessions(ORG, [two.session.id, session_id()])
    assert [driven.id for driven in found] == [two.session.id]
    assert await store.reads.driven_sessions(ORG, []) == []
    assert len(await store.reads.driven_sessions(ORG)) == len([one, two])


async def test_the_last_beat_of_any_holder_counts(store: Store) -> None:
    new = await driven(store, "7")
    await store.write(
        lambda tx: tx.acquire_lease(
            replace(a_lease(new.session.id, "presence", "desk", None), last_seen_at=NOW)
        )
    )
    (found,) = await store.reads.driven_sessions(ORG)
    assert found.last_seen_at >= NOW - timedelta(minutes=1)
