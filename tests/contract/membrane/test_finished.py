"""The vendor's webhook: the session that has ended, as the vendor shows it."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import Membrane, as_session, of, seen_by_acme
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.receiver import Receiver, receiving
from tests.support.world import SOMEBODY, open_world
from tests.web.served import BOUND_SECONDS, open_served

TYPE = "agent-session-finished"


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def told(sqlite: SqliteDatabase, clock: HandClock, receiver: Receiver) -> AsyncGenerator[Membrane]:
    async with open_world(sqlite, clock, private_webhooks=True) as world, seen_by_acme(world) as membrane:
        await world.services.webhooks.put(world.org, TYPE, receiver.url, "s3cret")
        yield membrane


@covers("webhook.finished", "webhook.signed")
async def test_the_webhook_is_told_the_session_that_has_ended(told: Membrane, receiver: Receiver) -> None:
    world = told.world
    id = (await told.make("do it"))["id"]
    ended = await told.done(
        "PATCH",
        f"/{id}",
        json={"status": "failed", "error": {"message": "boom"}, "summary": "S", "output": {"n": 1}},
    )
    await world.services.webhooks.tell()
    [letter] = receiver.letters
    assert set(letter.json) == {"type", "session"}
    assert letter.json["type"] == TYPE
    assert as_session(letter.json["session"]) == ended
    assert letter.headers["x-signature"] == hmac.new(b"s3cret", letter.body, hashlib.sha256).hexdigest()
    elsewhere = await world.new_session()
    await world.services.sessions.end(world.org, elsewhere, "completed", None, SOMEBODY)
    await world.services.webhooks.tell()
    session = as_session(receiver.letters[1].json["session"])
    assert (session["id"], session["status"]) == (elsewhere.hex, "completed")


@covers("webhook.finished")
async def test_a_session_that_was_resumed_meanwhile_is_told_as_it_had_ended(
    told: Membrane, receiver: Receiver
) -> None:
    id = (await told.make())["id"]
    await told.world.claim(of(id))
    await told.done("PATCH", f"/{id}/stop")
    await told.done("POST", f"/{id}/message", json={"input": "more"})
    await told.world.services.webhooks.tell()
    session = receiver.letters[0].json["session"]
    assert (session["status"], session["state"], session["hasWorker"]) == ("cancelled", "idle", False)


@covers("webhook.retried")
async def test_a_webhook_that_is_down_is_told_when_it_is_back(told: Membrane, receiver: Receiver) -> None:
    receiver.statuses = [503, 200]
    id = (await told.make())["id"]
    await told.done("PATCH", f"/{id}/stop")
    await told.world.services.webhooks.tell()
    told.world.clock.advance(5)
    await told.world.services.webhooks.tell()
    first, second = receiver.letters
    assert first.body == second.body
    assert first.headers["x-delivery-id"] == second.headers["x-delivery-id"]


@covers("webhook.finished")
async def test_a_running_server_tells_by_itself(tmp_path: Path, receiver: Receiver) -> None:
    async with open_served(tmp_path, private_webhooks=True) as served:
        body = {"url": receiver.url}
        assert (await served.client.put(f"/webhooks/{TYPE}", json=body)).status_code == 200
        session = (await served.client.post("/sessions", json={})).json()["id"]
        await served.client.post(f"/sessions/{session}/end", json={"status": "completed"})
        async with asyncio.timeout(BOUND_SECONDS):
            await receiver.arrived.wait()
    assert receiver.letters[0].json["session"]["id"] == session.replace("-", "")
