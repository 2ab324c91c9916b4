"""A session with a presence is driven elsewhere: what is sent to it waits there."""

import asyncio

import pytest

from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.events import LeaseReleased
from sojourn.domain.session import Activity
from sojourn.store.rows import to_instant
from tests.support.world import SOMEBODY, World


async def test_a_message_to_a_driven_session_is_queued_and_starts_no_turn(world: World) -> None:
    session = await world.new_session()
    await world.services.presences.hold(world.org, session, "laptop", None)
    assert (await world.record(session)).session.activity is Activity.BUSY
    await world.send(session)
    state = (await world.record(session)).session
    assert (state.open_turn, state.queued_inputs, state.activity) == (None, 1, Activity.BUSY)
    assert await world.services.turns.ready("model", 10) == []
    assert await world.problems() == []


async def test_the_last_release_starts_the_oldest_message(world: World) -> None:
    session = await world.new_session()
    for holder in ("laptop", "desk"):
        await world.services.presences.hold(world.org, session, holder, None)
    first, second = await world.send(session), await world.send(session)
    await world.services.presences.release(world.org, session, "laptop", SOMEBODY)
    assert (await world.record(session)).session.open_turn is None
    await world.services.presences.release(world.org, session, "desk", SOMEBODY)
    state = (await world.record(session)).session
    assert (state.open_turn, state.queued_inputs) == (first.turn, 1)
    waiting = await world.services.inputs.list(world.org, session, "queued", first.position, 10)
    assert [input.id for input in waiting] == [second.id]
    assert await world.problems() == []


async def test_an_interrupt_to_a_driven_session_waits_before_the_rest(world: World) -> None:
    session = await world.new_session()
    await world.services.presences.hold(world.org, session, "laptop", None)
    await world.send(session, "later")
    urgent = await world.send(session, "now", "interrupt")
    await world.services.presences.release(world.org, session, "laptop", SOMEBODY)
    assert (await world.record(session)).session.open_turn == urgent.turn
    assert await world.problems() == []


async def test_a_turn_that_was_open_when_the_presence_came_goes_on_and_nothing_follows_it(
    world: World,
) -> None:
    turn = await world.claimed()
    await world.services.presences.hold(world.org, turn.session, "laptop", None)
    await world.send(turn.session)
    left = (await world.conversation(turn.session)).progress.unfinished()
    await world.services.turns.settle(turn, left.closing("cancelled", ""))
    state = (await world.record(turn.session)).session
    assert (state.open_turn, state.queued_inputs, state.activity) == (None, 1, Activity.BUSY)
    assert await world.problems() == []


async def test_a_beat_renews_and_takes_no_seq(world: World) -> None:
    session = await world.new_session()
    _, is_new = await world.services.presences.hold(world.org, session, "laptop", None)
    head = (await world.record(session)).session.next_seq
    world.clock.advance(60)
    _, is_new_again = await world.services.presences.hold(world.org, session, "laptop", None)
    assert (is_new, is_new_again) == (True, False)
    assert (await world.record(session)).session.next_seq == head
    assert len(await world.services.presences.list(world.org, session)) == 1


async def test_of_many_first_beats_of_one_holder_one_is_the_first(world: World) -> None:
    session = await world.new_session()
    held = await asyncio.gather(
        *(world.services.presences.hold(world.org, session, "laptop", None) for _ in range(8))
    )
    assert sum(is_new for _, is_new in held) == 1
    assert (await world.record(session)).session.presences == 1
    assert await world.problems() == []


async def test_a_presence_without_a_ttl_never_ends_by_itself(world: World) -> None:
    session = await world.new_session()
    await world.services.presences.hold(world.org, session, "laptop", None)
    world.clock.advance(10_000)
    await world.services.upkeep.tick()
    assert len(await world.services.presences.list(world.org, session)) == 1


async def test_ending_a_session_ends_its_presences(world: World) -> None:
    session = await world.new_session()
    await world.services.presences.hold(world.org, session, "laptop", None)
    await world.services.sessions.end(world.org, session, "completed", None, SOMEBODY)
    assert await world.services.presences.list(world.org, session) == []
    with pytest.raises(NotFound):
        await world.services.presences.release(world.org, session, "laptop", SOMEBODY)
    with pytest.raises(WrongState):
        await world.services.presences.hold(world.org, session, "laptop", None)
    assert await world.problems() == []


async def test_nobody_drives_a_session_that_is_not_there(world: World) -> None:
    session = await world.new_session()
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    for act in (
        world.services.presences.hold(world.org, session, "laptop", None),
        world.services.presences.release(world.org, session, "laptop", SOMEBODY),
        world.services.presences.list(world.org, session),
    ):
        with pytest.raises(NotFound):
            await act


async def test_a_presence_with_a_ttl_ends_by_time_unless_it_beats(world: World) -> None:
    session = await world.new_session()
    presences = world.services.presences
    await presences.hold(world.org, session, "laptop", 60)
    await presences.hold(world.org, session, "desk", None)
    message = await world.send(session)
    await lapse(world, 61)
    [released] = await world.said(session, LeaseReleased)
    assert (released.holder, released.by.kind) == ("laptop", "timeout")
    assert [lease.holder for lease in await presences.list(world.org, session)] == ["desk"]
    assert (await world.record(session)).session.open_turn is None
    await presences.hold(world.org, session, "desk", 60)
    await lapse(world, 61)
    assert (await world.record(session)).session.open_turn == message.turn
    assert await world.problems() == []


async def test_a_beat_within_the_ttl_keeps_a_presence(world: World) -> None:
    session = await world.new_session()
    presences = world.services.presences
    await presences.hold(world.org, session, "laptop", 60)
    world.clock.advance(59)
    _, is_new = await presences.hold(world.org, session, "laptop", 60)
    assert not is_new
    world.clock.advance(59)
    await world.services.upkeep.tick()
    assert await world.said(session, LeaseReleased) == []


async def lapse(world: World, seconds: float) -> None:
    """As if nobody had beaten for long, by the clock of either database."""
    world.clock.advance(seconds)
    await world.store.write(lambda tx: tx.refresh_leases(to_instant(0)))
    await world.services.upkeep.tick()
