"""Interrupting what runs, a first message with the creation, and changes made from what there is."""

import asyncio
from uuid import uuid4

import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.errors import AlreadyExists, NotFound
from sojourn.domain.events import MessageCompleted, ModelCalled
from sojourn.domain.ids import KeyId, SessionId, uuid7
from sojourn.domain.policy import Policy
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.service.results import Repeat
from sojourn.service.sessions import NewSession, SessionChange
from tests.support.world import SOMEBODY, World


async def interrupt(world: World, session: SessionId, repeat: Repeat | None = None) -> bool:
    return (await world.services.turns.interrupt(world.org, session, SOMEBODY, repeat)).value


async def test_only_a_turn_at_work_is_interrupted_and_the_session_stays_open(world: World) -> None:
    session = await world.new_session()
    assert not await interrupt(world, session)
    await world.send(session)
    assert not await interrupt(world, session)
    await world.claim(session)
    await world.send(session, "next")
    assert await interrupt(world, session)
    row = (await world.record(session)).session
    assert (row.status, row.activity) == (SessionStatus.OPEN, Activity.QUEUED)
    assert "turn.cancelled" in await world.types(session)
    assert await world.problems() == []


async def test_a_repeated_interrupt_stops_no_second_turn(world: World) -> None:
    repeat = Repeat(KeyId(uuid7()), "interrupt", "k", b"hash")
    turn = await world.claimed()
    assert await interrupt(world, turn.session, repeat)
    await world.send(turn.session)
    await world.claim(turn.session)
    assert await interrupt(world, turn.session, repeat)
    assert (await world.record(turn.session)).session.activity is Activity.BUSY


async def test_half_a_character_in_what_is_written_keeps_nobody_from_interrupting(world: World) -> None:
    turn = await world.claimed()
    [called] = await world.said(turn.session, ModelCalled)
    world.services.turns.preview(turn, called.message, 0, "so \ud83d")
    assert await interrupt(world, turn.session)
    [kept] = await world.said(turn.session, MessageCompleted)
    assert (kept.text, kept.interrupted) == ("so ?", True)


async def test_an_interrupt_of_no_session_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await interrupt(world, SessionId(uuid7()))


async def test_a_session_is_made_with_its_first_message_or_not_at_all(world: World) -> None:
    id = SessionId(uuid4())
    policy = Policy(idle_timeout_seconds=60)
    new = NewSession(id=id, message=(TextPart("hello"),), policy=policy)
    made = (await world.services.sessions.create(world.org, new, SOMEBODY)).value
    assert (made.session.activity, made.session.turns) == (Activity.QUEUED, 1)
    assert await world.types(id) == ["session.created", "input.received", "turn.queued"]
    with pytest.raises(AlreadyExists):
        await world.services.sessions.create(world.org, new, SOMEBODY)
    assert len(await world.types(id)) == 3
    # A session at work has no deadline for doing nothing.
    assert made.expires_at is None
    await world.services.turns.settle(await world.claim(id), [])
    assert (await world.record(id)).expires_at is not None


async def test_changes_made_from_what_there_is_lose_none_of_each_other(world: World) -> None:
    session = await world.new_session()

    def longer(record: SessionRecord) -> str:
        return "[1]" if record.facet is None else f"{record.facet[:-1]},1]"

    change = SessionChange(revise=("vendor", longer))
    await asyncio.gather(
        *(world.services.sessions.update(world.org, session, change, SOMEBODY) for _ in range(10))
    )
    record = await world.services.sessions.get(world.org, session, "vendor")
    assert record.facet == "[1,1,1,1,1,1,1,1,1,1]"
    assert record.session.revision == 10
