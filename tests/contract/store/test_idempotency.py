import asyncio

import pytest

from sojourn.domain.ids import KeyId, uuid7
from sojourn.domain.record import Recalled
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, Refused, at, insert_org, refused
from tests.support.databases import Database

KEY = KeyId(uuid7())
ANSWER = Recalled(b"a hash", 201, {"session": "7"})


async def reserve(tx: Tx, key: str = "k", operation: str = "create", by: KeyId = KEY) -> Recalled | None:
    return await tx.reserve_key(ORG, by, operation, key, at(0))


async def remember(tx: Tx, recalled: Recalled = ANSWER, key: str = "k", age: float = 0) -> None:
    await tx.remember(ORG, KEY, "create", key, recalled, at(age))


async def first(tx: Tx) -> None:
    assert await reserve(tx) is None
    await remember(tx)


async def recalled(
    store: Store, key: str = "k", operation: str = "create", by: KeyId = KEY
) -> Recalled | None:
    """What a request under a key would be told; nothing is kept of the question."""
    found: list[Recalled | None] = []

    async def verb(tx: Tx) -> None:
        found.append(await reserve(tx, key, operation, by))

    await refused(store, verb)
    return found[0]


async def test_a_remembered_answer_is_recalled_whole(store: Store) -> None:
    await store.write(first)
    assert await recalled(store) == ANSWER
    assert await store.reads.recall(ORG, KEY, "create", "k") == ANSWER
    assert await store.reads.recall(ORG, KEY, "create", "other") is None


async def test_a_key_is_of_one_credential_and_one_operation(store: Store) -> None:
    await store.write(first)
    assert await recalled(store, operation="send") is None
    assert await recalled(store, by=KeyId(uuid7())) is None
    assert await recalled(store, key="K") is None


async def test_a_failed_request_leaves_its_key_free(store: Store) -> None:
    has_key = asyncio.Event()

    async def fails(tx: Tx) -> None:
        await first(tx)
        has_key.set()
        raise Refused

    failing = asyncio.create_task(store.write(fails))
    await has_key.wait()
    await store.write(first)
    with pytest.raises(Refused):
        await failing
    assert await recalled(store) == ANSWER


async def test_of_many_requests_under_one_key_one_acts_and_the_rest_recall_it(store: Store) -> None:
    async def request(number: int) -> str | None:
        async def verb(tx: Tx) -> str | None:
            recalled = await reserve(tx)
            if recalled is not None:
                return recalled.ids["session"]
            await remember(tx, Recalled(b"a hash", 201, {"session": str(number)}))
            return None

        return await store.write(verb)

    answers = await asyncio.gather(*(request(number) for number in range(20)))
    assert answers.count(None) == 1
    assert {answer for answer in answers if answer is not None} == {str(answers.index(None))}


async def test_old_records_are_forgotten_and_young_ones_kept(store: Store, database: Database) -> None:
    await insert_org(store)

    async def request(tx: Tx, key: str, age: float) -> None:
        assert await tx.reserve_key(ORG, KEY, "create", key, at(age)) is None
        await remember(tx, key=key, age=age)

    await store.write(lambda tx: request(tx, "old", 0))
    await store.write(lambda tx: request(tx, "young", 100))
    assert await store.write(lambda tx: tx.forget_before(at(50), 10)) == 1
    assert database.query("SELECT idempotency_key FROM idempotency") == [("young",)]
