"""Outside names: unique in their kind, and one winner whoever comes at once."""

import asyncio

from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, a_session, insert, record, refused, session_id


async def test_a_name_belongs_to_the_first_who_took_it(store: Store) -> None:
    first, second = session_id(), session_id()
    assert await store.write(lambda tx: tx.insert_ref(ORG, "external_id", "order 7", first))
    assert not await store.write(lambda tx: tx.insert_ref(ORG, "external_id", "order 7", second))
    assert await store.reads.find_session(ORG, "external_id", "order 7") == first


async def test_a_name_is_unique_only_in_its_kind_and_organisation(store: Store) -> None:
    other = OrgId(uuid7())
    assert await store.write(lambda tx: tx.insert_ref(ORG, "external_id", "7", session_id()))
    assert await store.write(lambda tx: tx.insert_ref(ORG, "task", "7", session_id()))
    assert await store.write(lambda tx: tx.insert_ref(other, "external_id", "7", session_id()))
    assert await store.reads.find_session(other, "task", "7") is None


async def test_a_released_name_may_be_taken_again(store: Store) -> None:
    second = session_id()
    await store.write(lambda tx: tx.insert_ref(ORG, "task", "7", session_id()))
    await store.write(lambda tx: tx.delete_ref(ORG, "task", "7"))
    assert await store.reads.find_session(ORG, "task", "7") is None
    assert await store.write(lambda tx: tx.insert_ref(ORG, "task", "7", second))
    assert await store.reads.find_session(ORG, "task", "7") == second


async def test_of_many_who_ask_at_once_one_creates_and_all_get_its_session(store: Store) -> None:
    async def create_or_get() -> tuple[SessionId, bool]:
        id = session_id()

        async def verb(tx: Tx) -> tuple[SessionId, bool]:
            if await tx.insert_ref(ORG, "external_id", "order 7", id):
                assert await tx.insert_session(record(a_session(id=id), external_id="order 7"))
                return id, True
            found = await tx.find_session(ORG, "external_id", "order 7")
            # Whoever is told of another's name finds that other's session: its commit came first.
            assert found is not None
            assert await tx.get_session(ORG, found) is not None
            return found, False

        return await store.write(verb)

    answers = await asyncio.gather(*(create_or_get() for _ in range(20)))
    assert len({id for id, _ in answers}) == 1
    assert [created for _, created in answers].count(True) == 1


async def test_a_name_is_free_after_the_rollback_of_who_took_it(store: Store) -> None:
    session = await insert(store)
    await refused(store, lambda tx: tx.insert_ref(ORG, "task", "7", session_id()))
    assert await store.write(lambda tx: tx.insert_ref(ORG, "task", "7", session.id))
