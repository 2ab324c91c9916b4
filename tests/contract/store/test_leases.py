from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sojourn.domain.ids import SessionId
from sojourn.domain.record import Lease
from sojourn.domain.session import Session
from sojourn.ports import Store
from tests.contract.store.make import ORG, a_lease, insert, insert_org, session_id
from tests.support.databases import Database

# The stores time leases by different clocks; both agree that this is long ago, and that the other is yet to come.
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2222, 1, 1, tzinfo=UTC)


@pytest.fixture
async def session(store: Store) -> Session:
    return await insert(store)


async def acquire(store: Store, lease: Lease) -> bool:
    return await store.write(lambda tx: tx.acquire_lease(lease))


async def lapsed(store: Store, now: datetime) -> set[str]:
    return {lease.holder for lease in await store.reads.lapsed_leases(now, 100)}


async def renew(store: Store, session: SessionId, holder: str, now: datetime) -> bool:
    return await store.write(lambda tx: tx.renew_lease(ORG, session, "turn", holder, now))


async def age(store: Store, instant: datetime) -> None:
    await store.write(lambda tx: tx.refresh_leases(instant))


async def test_a_lease_is_new_once_and_then_renewed(store: Store, session: Session) -> None:
    lease = a_lease(session.id, "presence", "laptop", None)
    assert await acquire(store, lease)
    assert not await acquire(store, lease)
    (held,) = await store.reads.list_presences(ORG, session.id)
    assert (held.holder, held.kind, held.ttl_seconds, held.boot) == ("laptop", "presence", None, None)


async def test_presences_of_several_holders_stand_side_by_side(store: Store, session: Session) -> None:
    for holder in ("b", "a"):
        assert await acquire(store, a_lease(session.id, "presence", holder, None))
    assert [lease.holder for lease in await store.reads.list_presences(ORG, session.id)] == ["a", "b"]
    assert await store.write(lambda tx: tx.release_lease(ORG, session.id, "presence", "a")) == 1
    assert await store.write(lambda tx: tx.release_lease(ORG, session.id, "presence", "a")) == 0
    assert await store.write(lambda tx: tx.release_lease(ORG, session.id, "presence", None)) == 1


async def test_two_turn_leases_of_one_session_never_stand(store: Store, session: Session) -> None:
    assert await acquire(store, a_lease(session.id, holder="one/1"))
    assert not await acquire(store, a_lease(session.id, holder="two/2"))
    assert await renew(store, session.id, "one/1", FAR_AHEAD)
    assert not await renew(store, session.id, "two/2", FAR_AHEAD)


async def test_a_lease_lapses_when_its_holder_is_silent_for_its_ttl(store: Store, session: Session) -> None:
    other = await insert(store)
    now = datetime.now(UTC)
    await acquire(store, replace(a_lease(session.id, holder="silent/1"), last_seen_at=now))
    await acquire(store, replace(a_lease(other.id, holder="alive/1"), last_seen_at=now))
    assert await lapsed(store, now) == set()
    await age(store, LONG_AGO)
    assert await lapsed(store, now) == {"silent/1", "alive/1"}
    assert await renew(store, other.id, "alive/1", now)
    assert await lapsed(store, now) == {"silent/1"}


async def test_only_the_holder_keeps_a_lease_alive(store: Store, session: Session) -> None:
    now = datetime.now(UTC)
    await acquire(store, replace(a_lease(session.id, holder="worker/2"), last_seen_at=now))
    await age(store, LONG_AGO)
    assert not await renew(store, session.id, "worker/1", now)
    assert await lapsed(store, now) == {"worker/2"}


async def test_a_refresh_gives_every_lease_that_expires_a_fresh_ttl(store: Store, session: Session) -> None:
    now = datetime.now(UTC)
    await acquire(store, replace(a_lease(session.id), last_seen_at=now))
    await age(store, LONG_AGO)
    await age(store, now + timedelta(seconds=1))
    assert await lapsed(store, now) == set()


async def test_leases_without_a_ttl_and_presences_never_lapse(store: Store, session: Session) -> None:
    other = await insert(store)
    await acquire(store, a_lease(session.id, ttl_seconds=None))
    await acquire(store, a_lease(other.id, "presence", "laptop", 1.0))
    await age(store, LONG_AGO)
    assert await lapsed(store, FAR_AHEAD) == set()


async def test_no_more_lapsed_leases_are_told_than_asked_for(store: Store) -> None:
    for number in range(3):
        await acquire(store, a_lease((await insert(store)).id, holder=f"w{number}/1"))
    await age(store, LONG_AGO)
    assert len(await store.reads.lapsed_leases(datetime.now(UTC), 2)) == 2


async def test_turns_of_former_boots_are_found_by_the_next(store: Store, session: Session) -> None:
    other, third = await insert(store), await insert(store)
    await acquire(store, replace(a_lease(session.id, ttl_seconds=None), boot="before"))
    await acquire(store, replace(a_lease(other.id, ttl_seconds=None), boot="now"))
    await acquire(store, a_lease(third.id))
    found = await store.write(lambda tx: tx.boot_leases("now"))
    assert [(lease.session, lease.boot) for lease in found] == [(session.id, "before")]


async def test_a_lease_is_timed_by_one_clock_for_all_processes(store: Store, database: Database) -> None:
    """The process's own where one process owns the file; the database's where many share it."""
    lease = replace(a_lease(session_id()), last_seen_at=FAR_AHEAD)
    await acquire(store, lease)
    ((seen,),) = database.query("SELECT last_seen_at FROM leases")
    is_own = seen == int(FAR_AHEAD.timestamp()) * 1_000_000
    assert is_own == (database.dialect == "sqlite")


async def test_a_presence_lapses_by_the_ttl_of_its_newest_beat(store: Store, session: Session) -> None:
    await insert_org(store)
    for holder in ("lasting", "lapsing"):
        assert await acquire(store, a_lease(session.id, "presence", holder, None))

    def beat(ttl_seconds: float | None, holder: str = "lapsing") -> Awaitable[bool]:
        return store.write(
            lambda tx: tx.renew_presence(ORG, session.id, holder, ttl_seconds, datetime.now(UTC))
        )

    async def found() -> list[str]:
        return [lease.holder for lease in await store.reads.lapsed_presences(FAR_AHEAD, 10)]

    assert not await beat(60, "nobody")
    assert await beat(60)
    await age(store, LONG_AGO)
    assert await found() == ["lapsing"]
    assert await beat(None)
    assert await found() == []
