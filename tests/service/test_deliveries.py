"""How inputs reach a running session: behind it, into it, or in its place."""

import pytest

from sojourn.domain.content import TextPart, Usage
from sojourn.domain.errors import NotFound, RevisionMismatch, WrongState
from sojourn.domain.events import (
    InputDelivered,
    InputWithdrawn,
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
)
from sojourn.domain.ids import InputId, MessageId, uuid7
from sojourn.domain.turn import TurnStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.sessions import NewSession
from tests.support.world import SOMEBODY, World


async def answer(world: World, turn: ClaimedTurn, text: str = "hi") -> tuple[RunnerEvent, ...]:
    """What ends the open model call."""
    call = (await world.conversation(turn.session)).progress.open_call
    assert call is not None
    return (
        MessageCompleted(message=call.message, call=call.call, text=text),
        ModelCompleted(call=call.call, model="m", provider="p", usage=Usage(), finish_reason="stop"),
    )


def next_call(call: int) -> ModelCalled:
    return ModelCalled(call=call, model="m", message=MessageId(uuid7()))


async def test_queued_messages_become_turns_one_after_another(world: World) -> None:
    session = await world.new_session()
    sent = [await world.send(session, text) for text in ("one", "two", "three")]
    for input in sent:
        turn = await world.claim(session)
        assert turn.turn == input.turn
        await world.services.turns.settle(turn, await answer(world, turn))
    texts = [message.text for message in (await world.conversation(session)).messages]
    assert texts == ["one", "hi", "two", "hi", "three", "hi"]
    assert await world.problems() == []


async def test_a_steer_is_read_before_the_next_model_call_of_the_running_turn(world: World) -> None:
    turn = await world.claimed("one")
    steer = await world.send(turn.session, "also", "steer")
    behind = await world.send(turn.session, "later")
    await world.services.turns.append(turn, await answer(world, turn), (next_call(2),), steers_before=2)
    delivered = await world.said(turn.session, InputDelivered)
    assert [(one.input, one.call) for one in delivered[1:]] == [(steer.id, 2)]
    assert (await world.types(turn.session))[-2:] == ["input.delivered", "model.called"]
    read = await world.services.inputs.get(world.org, turn.session, steer.id)
    assert (read.status, read.turn) == ("delivered", turn.turn)
    waiting = await world.services.inputs.list(world.org, turn.session, "queued", 0, 10)
    assert [input.id for input in waiting] == [behind.id]
    assert await world.problems() == []


async def test_a_steer_that_came_too_late_is_not_lost(world: World) -> None:
    turn = await world.claimed("one")
    steer = await world.send(turn.session, "also", "steer")
    await world.services.turns.settle(turn, await answer(world, turn))
    following = await world.claim(turn.session)
    assert following.turn == steer.turn
    texts = [message.text for message in (await world.conversation(turn.session)).messages]
    assert texts == ["one", "hi", "also"]
    assert await world.problems() == []


async def test_an_interrupt_takes_the_place_of_the_running_turn(world: World) -> None:
    turn = await world.claimed("one")
    await world.send(turn.session, "later")
    urgent = await world.send(turn.session, "stop", "interrupt")
    stopped = await world.services.turns.get(world.org, turn.session, turn.turn)
    assert (stopped.status, stopped.reason) == ("cancelled", "interrupted")
    assert (await world.claim(turn.session)).turn == urgent.turn
    assert await world.problems() == []


async def test_an_interrupt_to_a_quiet_session_is_a_message_like_any_other(world: World) -> None:
    session = await world.new_session()
    urgent = await world.send(session, "go", "interrupt")
    assert (await world.claim(session)).turn == urgent.turn


@pytest.mark.parametrize("stop", ["interrupt", "cancel", "end"])
async def test_the_text_so_far_of_a_stopped_turn_stays_as_an_interrupted_message(
    world: World, stop: str
) -> None:
    turn = await world.claimed()
    call = (await world.conversation(turn.session)).progress.open_call
    assert call is not None
    for offset, text in ((0, "I was"), (5, " saying")):
        world.services.turns.preview(turn, call.message, offset, text)
    match stop:
        case "interrupt":
            await world.send(turn.session, "stop", "interrupt")
        case "cancel":
            await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
        case _:
            await world.services.sessions.end(world.org, turn.session, "completed", None, SOMEBODY)
    (kept,) = await world.said(turn.session, MessageCompleted)
    assert (kept.message, kept.text, kept.interrupted) == (call.message, "I was saying", True)
    assert (await world.conversation(turn.session)).messages[1].text == "I was saying"
    assert await world.problems() == []


async def test_a_stopped_message_without_a_text_is_abandoned(world: World) -> None:
    turn = await world.claimed()
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    assert len(await world.said(turn.session, MessageAbandoned)) == 1
    assert [message.role for message in (await world.conversation(turn.session)).messages] == ["user"]


async def test_the_text_of_an_earlier_message_is_not_taken_for_that_of_the_stopped_one(world: World) -> None:
    turn = await world.claimed()
    call = (await world.conversation(turn.session)).progress.open_call
    assert call is not None
    world.services.turns.preview(turn, call.message, 0, "first")
    await world.services.turns.append(turn, await answer(world, turn, "first"), (next_call(2),))
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    said = await world.said(turn.session, MessageCompleted)
    assert [(message.text, message.interrupted) for message in said] == [("first", False)]
    assert len(await world.said(turn.session, MessageAbandoned)) == 1


async def test_a_waiting_input_is_edited_and_delivered_as_it_last_was(world: World) -> None:
    turn = await world.claimed("one")
    input = await world.send(turn.session, "two")
    inputs = world.services.inputs
    edited = await inputs.edit(world.org, turn.session, input.id, (TextPart("zwei"),), SOMEBODY, 0)
    assert (edited.content, edited.revision) == ((TextPart("zwei"),), 1)
    with pytest.raises(RevisionMismatch):
        await inputs.edit(world.org, turn.session, input.id, (TextPart("due"),), SOMEBODY, 0)
    await world.services.turns.settle(turn, await answer(world, turn))
    await world.claim(turn.session)
    assert (await world.conversation(turn.session)).messages[-1].text == "zwei"
    with pytest.raises(WrongState):
        await inputs.edit(world.org, turn.session, input.id, (TextPart("due"),), SOMEBODY)


async def test_a_withdrawn_input_is_never_delivered(world: World) -> None:
    turn = await world.claimed("one")
    input = await world.send(turn.session, "two")
    gone = await world.services.inputs.withdraw(world.org, turn.session, input.id, SOMEBODY)
    assert gone.status == "withdrawn"
    await world.services.turns.settle(turn, await answer(world, turn))
    assert (await world.record(turn.session)).session.open_turn is None
    assert await world.problems() == []


async def test_an_ended_session_is_reopened_by_a_message_and_an_archived_one_is_not(world: World) -> None:
    session = await world.new_session(NewSession(title="x"))
    await world.services.sessions.end(world.org, session, "failed", None, SOMEBODY)
    input = await world.send(session)
    assert (await world.record(session)).session.open_turn == input.turn
    await world.services.sessions.archive(world.org, session, True, SOMEBODY)
    with pytest.raises(WrongState, match="archived"):
        await world.send(session)
    assert await world.problems() == []


async def test_inputs_of_another_session_are_not_found(world: World) -> None:
    one, two = await world.new_session(), await world.new_session()
    input = await world.send(one)
    for id in (input.id, InputId(uuid7())):
        with pytest.raises(NotFound):
            await world.services.inputs.get(world.org, two, id)
        with pytest.raises(NotFound):
            await world.services.inputs.withdraw(world.org, two, id, SOMEBODY)


async def test_a_turn_that_waits_in_line_can_be_read_and_cancelled_by_the_id_that_its_message_was_given(
    world: World,
) -> None:
    turn, turns = await world.claimed("one"), world.services.turns
    sent = await world.send(turn.session, "not this")
    last = await world.send(turn.session, "two")
    assert (await turns.get(world.org, turn.session, sent.turn)).status is TurnStatus.QUEUED
    cancelled = (await turns.cancel(world.org, turn.session, sent.turn, SOMEBODY)).value
    assert (cancelled.id, cancelled.status, cancelled.reason) == (sent.turn, "cancelled", "superseded")
    assert (await world.said(turn.session, InputWithdrawn))[-1].input == sent.id
    with pytest.raises(WrongState, match="A turn that is closed cannot be cancelled"):
        await turns.cancel(world.org, turn.session, sent.turn, SOMEBODY)
    await turns.settle(turn, await answer(world, turn))
    assert (await world.claim(turn.session)).turn == last.turn
    delivered = [one.input for one in await world.said(turn.session, InputDelivered)]
    assert sent.id not in delivered
    assert (await turns.get(world.org, turn.session, last.turn)).status is TurnStatus.RUNNING
    assert await world.problems() == []


async def test_a_turn_that_stands_back_is_still_to_be_read_and_cancelled(world: World) -> None:
    session = await world.new_session()
    first = await world.send(session, "one")
    urgent = await world.send(session, "two", "interrupt")
    assert (await world.record(session)).session.open_turn == urgent.turn
    turns = world.services.turns
    assert (await turns.get(world.org, session, first.turn)).status is TurnStatus.QUEUED
    await turns.cancel(world.org, session, first.turn, SOMEBODY)
    assert [one.input for one in await world.said(session, InputWithdrawn)] == [first.id]
    assert (await world.record(session)).session.queued_inputs == 0
    assert await world.problems() == []


async def test_the_turn_of_a_steer_that_another_turn_has_read_is_none(world: World) -> None:
    turn = await world.claimed("one")
    steer = await world.send(turn.session, "also", "steer")
    await world.services.turns.append(turn, await answer(world, turn), (next_call(2),), steers_before=2)
    with pytest.raises(NotFound):
        await world.services.turns.get(world.org, turn.session, steer.turn)
