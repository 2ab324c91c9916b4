"""Invariant 1: commit, then publish, then answer, for whatever the answer says."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.errors import Conflict, LeaseLost, StoreUnavailable
from sojourn.domain.ids import KeyId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.ports import Tx
from sojourn.service.inputs import NewInput
from sojourn.service.results import Repeat
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.world import SOMEBODY, World, open_world

HELLO = NewInput(content=(TextPart("hello"),))


def stored(world: World, session: SessionId) -> int:
    """How long another connection finds the log."""
    return sum(of == session.bytes for (of,) in world.database.query("SELECT session FROM events"))


async def test_what_is_answered_is_stored_and_was_published(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    turn = await world.claim(session)
    await world.services.turns.settle(turn, ())
    published = [event for event in world.published if event.session == session]
    assert [event.seq for event in published] == list(range(1, stored(world, session) + 1))
    assert published == await world.store.reads.events_after(world.org, session, 0, 100)


async def test_at_the_moment_of_publishing_the_commit_is_durable(world: World) -> None:
    session = await world.new_session()
    seen: list[tuple[int, int]] = []
    tell = world.services.hub.publish

    def publish(events: Sequence[StoredEvent]) -> None:
        seen.append((events[-1].seq, stored(world, session)))
        tell(events)

    vars(world.services.hub)["publish"] = publish
    await world.send(session)
    await world.claim(session)
    assert [head for head, _ in seen] == [3, 6]
    assert all(head <= durable for head, durable in seen)


@pytest.fixture
async def full_disk(sqlite: SqliteDatabase, clock: HandClock):
    """A world whose commits fail from the moment that `fill` is awaited beside them."""
    async with open_world(sqlite, clock) as world:
        yield world


async def fill(world: World) -> None:
    writer: sqlite3.Connection = vars(world.store)["_writer"]

    async def verb(tx: Tx) -> None:
        await tx.insert_org(world.org, "again", world.clock.now())
        writer.execute("PRAGMA max_page_count = 1")
        for _ in range(400):
            await tx.put_blob(world.org, uuid7().bytes, bytes(30_000))

    await world.store.write(verb)


async def together(world: World, *acts: Awaitable[Any]) -> list[Any]:
    """The answers of acts whose commit fails."""
    return (await asyncio.gather(*acts, fill(world), return_exceptions=True))[:-1]


async def test_a_replay_is_not_answered_before_its_original_is_durable(full_disk: World) -> None:
    world = full_disk
    session = await world.new_session()
    repeat = Repeat(KeyId(uuid7()), "send", "k", b"hash")
    sends = [world.services.inputs.send(world.org, session, HELLO, SOMEBODY, repeat) for _ in range(2)]
    answers = await together(world, *sends)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    assert stored(world, session) == 1


async def test_a_conflict_is_not_answered_before_what_it_conflicts_with_is_durable(full_disk: World) -> None:
    world = full_disk
    session = await world.new_session()
    sessions = world.services.sessions
    ends = [sessions.end(world.org, session, "completed", None, SOMEBODY) for _ in range(2)]
    answers = await together(world, *ends)
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    vars(world.store)["_writer"].execute("PRAGMA max_page_count = 1000000")
    await sessions.end(world.org, session, "failed", None, SOMEBODY)
    with pytest.raises(Conflict):
        await sessions.end(world.org, session, "completed", None, SOMEBODY)


async def test_a_lost_lease_is_not_answered_before_what_took_it_away_is_durable(full_disk: World) -> None:
    world = full_disk
    turn = await world.claimed()
    cancel = world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    answers = await together(world, cancel, world.services.turns.append(turn, ()))
    assert [type(answer) for answer in answers] == [StoreUnavailable] * 2
    vars(world.store)["_writer"].execute("PRAGMA max_page_count = 1000000")
    await world.services.turns.append(turn, ())
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    with pytest.raises(LeaseLost):
        await world.services.turns.append(turn, ())
