"""Webhooks are told of each end of a session, until they have taken it, and at no private address."""

import hashlib
import hmac
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from sojourn.domain.errors import NotFound
from sojourn.domain.ids import SessionId, uuid7
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity
from sojourn.service.sessions import NewSession
from sojourn.service.transcripts import Glimpse
from sojourn.service.webhooks import CLAIM, MOST_ATTEMPTS, wait_after
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.receiver import Receiver, receiving
from tests.support.world import SOMEBODY, World, open_world

TYPE = "finished"


class Plain:
    dialect = "vendor"

    async def render(self, record: SessionRecord, glimpse: Glimpse) -> object:
        row = record.session
        return {
            "status": row.status,
            "doing": row.ended_activity,
            "facet": record.facet,
            "prompt": glimpse.prompt,
        }


@pytest.fixture
async def world(database: Database, clock: HandClock) -> AsyncGenerator[World]:
    async with open_world(database, clock, private_webhooks=True) as world:
        world.services.webhooks.register(TYPE, Plain())
        yield world


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def watch(world: World, receiver: Receiver, secret: str | None = None) -> None:
    await world.services.webhooks.put(world.org, TYPE, receiver.url, secret)


async def end(world: World) -> None:
    session = await world.new_session(NewSession(facet=("vendor", "{}")))
    await world.send(session, "do it")
    await world.services.sessions.end(world.org, session, "cancelled", None, SOMEBODY)


async def test_an_end_is_told_once_signed_with_the_secret(world: World, receiver: Receiver) -> None:
    await watch(world, receiver, "s3cret")
    await end(world)
    assert await world.services.webhooks.tell() == 1
    assert await world.services.webhooks.tell() == 0
    [letter] = receiver.letters
    assert letter.line == "POST /hook?a=1 HTTP/1.1"
    assert letter.json == {"status": "cancelled", "doing": "queued", "facet": "{}", "prompt": "do it"}
    assert letter.headers["x-signature"] == hmac.new(b"s3cret", letter.body, hashlib.sha256).hexdigest()
    assert letter.headers["content-type"] == "application/json"
    assert letter.headers["x-delivery-id"]


async def test_without_a_secret_nothing_is_signed_and_without_a_webhook_nobody_told(
    world: World, receiver: Receiver
) -> None:
    await end(world)
    assert await world.services.webhooks.tell() == 0
    await watch(world, receiver, "s3cret")
    await watch(world, receiver)
    await end(world)
    await world.services.webhooks.tell()
    assert "x-signature" not in receiver.letters[0].headers
    assert await world.services.secrets.get(world.org, f"webhook/{TYPE}") is None


async def test_what_is_not_taken_is_told_again_later_under_the_same_id(
    world: World, receiver: Receiver
) -> None:
    await watch(world, receiver)
    receiver.statuses = [500, 0, 302, 204]
    await end(world)
    for attempt in range(1, 5):
        assert await world.services.webhooks.tell() == 1
        assert await world.services.webhooks.tell() == 0
        world.clock.advance(wait_after(attempt).total_seconds())
    assert await world.services.webhooks.tell() == 0
    assert len({letter.headers["x-delivery-id"] for letter in receiver.letters}) == 1
    assert len(receiver.letters) == 4


async def test_each_wait_is_longer_than_the_last_up_to_an_hour() -> None:
    waits = [wait_after(attempt) for attempt in range(1, 30)]
    assert waits[0] == timedelta(seconds=5)
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)


async def test_a_webhook_that_never_answers_is_given_up(world: World, receiver: Receiver) -> None:
    await watch(world, receiver)
    receiver.statuses = [500] * MOST_ATTEMPTS
    await end(world)
    while await world.services.webhooks.tell():
        world.clock.advance(3600)
    assert len(receiver.letters) == MOST_ATTEMPTS
    world.clock.advance(365 * 86400)
    assert await world.services.webhooks.tell() == 0


async def test_what_a_lost_process_had_claimed_is_told_by_another(world: World, receiver: Receiver) -> None:
    await watch(world, receiver)
    await end(world)
    now = world.clock.now()
    [claimed] = await world.store.write(lambda tx: tx.claim_deliveries(world.org, now, now + CLAIM, 5))
    assert await world.services.webhooks.tell() == 0
    world.clock.advance(CLAIM.total_seconds())
    assert await world.services.webhooks.tell() == 1
    assert receiver.letters[0].headers["x-delivery-id"] == str(claimed.id)


async def test_the_end_is_told_as_it_was_though_the_session_was_resumed_since(
    world: World, receiver: Receiver
) -> None:
    await watch(world, receiver)
    session = await world.new_session()
    await world.services.sessions.end(world.org, session, "failed", "boom", SOMEBODY)
    await world.send(session, "again")
    assert (await world.record(session)).session.activity is Activity.QUEUED
    await world.services.webhooks.tell()
    assert receiver.letters[0].json["status"] == "failed"


async def test_an_end_by_policy_is_told_and_one_that_did_not_happen_is_not(
    world: World, receiver: Receiver
) -> None:
    await watch(world, receiver)
    session = await world.new_session()
    with pytest.raises(NotFound):
        await world.services.sessions.end(world.org, SessionId(uuid7()), "failed", None, SOMEBODY)
    assert await world.services.webhooks.tell() == 0
    await world.services.sessions.end(world.org, session, "expired", None, SOMEBODY)
    await world.services.webhooks.tell()
    assert receiver.letters[0].json == {"status": "expired", "doing": "idle", "facet": None, "prompt": None}


async def test_what_was_deleted_in_between_is_told_to_nobody(world: World, receiver: Receiver) -> None:
    webhooks = world.services.webhooks
    await watch(world, receiver)
    await end(world)
    await webhooks.delete(world.org, TYPE)
    assert await webhooks.tell() == 1
    await watch(world, receiver)
    session = await world.new_session()
    await world.services.sessions.end(world.org, session, "failed", None, SOMEBODY)
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    assert await webhooks.tell() == 1
    assert receiver.letters == []
    with pytest.raises(NotFound):
        await webhooks.delete(world.org, "other")
