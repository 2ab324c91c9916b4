"""Webhooks, and what is on its way to them."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from sojourn.domain.ids import DEFAULT_ORG, OrgId, uuid7
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.webhook import Delivery, DeliveryId, Ended, Webhook
from sojourn.ports import Store
from tests.contract.store.make import ORG, at, session_id

HOOK = Webhook(type="t", url="https://a.example/x", is_signed=True, updated_at=at(1))
ENDED = Ended(
    status=SessionStatus.EXPIRED,
    ended_at=at(3),
    end_reason="idle",
    ended_activity=Activity.BUSY,
    active_at=at(2),
    turns=4,
)


def a_delivery() -> Delivery:
    return Delivery(org=ORG, id=DeliveryId(uuid7()), session=session_id(), type="t", ended=ENDED)


async def test_a_webhook_is_one_of_its_type_and_organisation(store: Store) -> None:
    await store.write(lambda tx: tx.insert_org(DEFAULT_ORG, "o", at(0)))
    other = replace(HOOK, type="a", is_signed=False)
    for webhook in (HOOK, other, replace(HOOK, url="https://b.example")):
        await store.write(lambda tx, webhook=webhook: tx.write_webhook(ORG, webhook))
    assert await store.reads.get_webhook(ORG, "t") == replace(HOOK, url="https://b.example")
    assert [one.type for one in await store.reads.list_webhooks(ORG)] == ["a", "t"]
    stranger = OrgId(uuid4())
    assert await store.reads.get_webhook(stranger, "t") is None
    assert await store.reads.list_webhooks(stranger) == []
    assert await store.write(lambda tx: tx.delete_webhook(ORG, "t"))
    assert not await store.write(lambda tx: tx.delete_webhook(ORG, "t"))
    assert await store.reads.get_webhook(ORG, "t") is None


async def test_what_is_due_is_claimed_once_until_its_claim_lapses(store: Store) -> None:
    first, later = a_delivery(), a_delivery()
    await store.write(lambda tx: tx.insert_delivery(first, at(10)))
    await store.write(lambda tx: tx.insert_delivery(later, at(30)))
    assert await store.reads.orgs_to_tell(at(9)) == []
    assert await store.reads.orgs_to_tell(at(10)) == [ORG]

    async def claim(now: float) -> list[Delivery]:
        return list(await store.write(lambda tx: tx.claim_deliveries(ORG, at(now), at(now + 60), 10)))

    assert await claim(9) == []
    assert await claim(10) == [replace(first, attempts=1)]
    assert await claim(11) == []
    assert {one.id for one in await claim(70)} == {first.id, later.id}


async def test_rivals_claim_each_delivery_once(store: Store) -> None:
    deliveries = [a_delivery() for _ in range(40)]
    for delivery in deliveries:
        await store.write(lambda tx, delivery=delivery: tx.insert_delivery(delivery, at(0)))
    claims = await asyncio.gather(
        *(store.write(lambda tx: tx.claim_deliveries(ORG, at(1), at(60), 5)) for _ in range(16))
    )
    claimed = [one.id for claim in claims for one in claim]
    # A rival may have left what another one was taking.
    while more := await store.write(lambda tx: tx.claim_deliveries(ORG, at(1), at(60), 5)):
        claimed += [one.id for one in more]
    assert sorted(claimed) == sorted(one.id for one in deliveries)


async def test_only_its_last_claim_decides_when_a_delivery_is_due_again(store: Store) -> None:
    await store.write(lambda tx: tx.insert_delivery(a_delivery(), at(0)))
    [old] = await store.write(lambda tx: tx.claim_deliveries(ORG, at(0), at(60), 5))
    [new] = await store.write(lambda tx: tx.claim_deliveries(ORG, at(60), at(120), 5))
    await store.write(lambda tx: tx.postpone_delivery(old, at(61)))
    assert await store.reads.orgs_to_tell(at(100)) == []
    await store.write(lambda tx: tx.postpone_delivery(new, at(90)))
    assert await store.reads.orgs_to_tell(at(90)) == [ORG]
    await store.write(lambda tx: tx.settle_delivery(new))
    assert await store.reads.orgs_to_tell(at(999)) == []
