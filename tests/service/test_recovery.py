"""Invariant 4: recovery continues, it does not re-execute. What the log says is done stays done."""

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import Usage
from sojourn.domain.events import (
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    TurnFailed,
    TurnStarted,
)
from sojourn.domain.fold import CallModel, RunTools
from sojourn.domain.ids import MessageId, uuid7
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.sessions import NewSession
from sojourn.store.rows import to_instant
from tests.support.world import SOMEBODY, World


def answer(call: ModelCalled) -> tuple[RunnerEvent, ...]:
    return (
        MessageCompleted(message=call.message, call=call.call, text="I look."),
        ModelCompleted(call=call.call, model="m", provider="p", usage=Usage(1, 2), finish_reason="tool_call"),
    )


def request(index: int) -> ToolRequested:
    return ToolRequested(call=1, index=index, id=f"t{index}", name="clock", arguments="{}")


def done(tool: ToolRequested) -> ToolCompleted:
    return ToolCompleted(
        call=tool.call, index=tool.index, id=tool.id, name=tool.name, status="done", output="noon"
    )


async def open_call(world: World, turn: ClaimedTurn) -> ModelCalled:
    call = (await world.conversation(turn.session)).progress.open_call
    assert call is not None
    return call


async def lose(world: World) -> None:
    """Every worker falls silent, and upkeep takes the turns away."""
    await world.store.write(lambda tx: tx.refresh_leases(to_instant(0)))
    await world.services.upkeep.tick()


async def three_tools(world: World) -> ClaimedTurn:
    """One of them is done, one was started, one only requested; then the worker is lost, and another claims."""
    turn = await world.claimed()
    tools = [request(index) for index in range(3)]
    said = (*answer(await open_call(world, turn)), *tools)
    starts = tuple(ToolStarted(call=1, index=index) for index in range(2))
    await world.services.turns.append(turn, said, starts)
    await world.services.turns.append(turn, (done(tools[0]),))
    await lose(world)
    return await world.claim(turn.session, "another")


async def test_the_next_holder_is_told_what_is_done_what_was_begun_and_what_was_not(world: World) -> None:
    again = await three_tools(world)
    assert again.attempt == 2
    step = (await world.conversation(again.session)).progress.next_step()
    assert step == RunTools(waiting=(request(2),), lost=(request(1),))


async def test_a_reclaimed_turn_goes_on_from_its_log_to_a_whole_conversation(world: World) -> None:
    again = await three_tools(world)
    results = (done(request(1)), done(request(2)))
    await world.services.turns.append(again, (), (ToolStarted(call=1, index=2),))
    second = ModelCalled(call=2, model="m", message=MessageId(uuid7()))
    await world.services.turns.append(again, results, (second,))
    await world.services.turns.settle(again, answer(second))
    conversation = await world.conversation(again.session)
    assert [message.role for message in conversation.messages] == ["user", "assistant", "tool", "assistant"]
    assert await world.problems() == []


async def test_an_unfinished_model_call_is_void_and_made_again(world: World) -> None:
    turn = await world.claimed()
    first = await open_call(world, turn)
    await lose(world)
    again = await world.claim(turn.session)
    void = MessageAbandoned(message=first.message, call=1)
    assert (await world.conversation(turn.session)).progress.next_step() == CallModel(1, void)
    second = ModelCalled(call=1, model="m", message=MessageId(uuid7()))
    await world.services.turns.append(again, (void,), (second,))
    await world.services.turns.settle(again, answer(second))
    assert [message.text for message in (await world.conversation(turn.session)).messages] == [
        "hello",
        "I look.",
    ]
    assert await world.problems() == []


async def test_a_claim_and_its_first_intent_are_one_commit(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    before = len(world.published)
    await world.claim(session)
    claimed = world.published[before:]
    assert [event.type for event in claimed] == ["turn.started", "input.delivered", "model.called"]
    assert len({event.tx for event in claimed}) == 1


async def test_a_turn_keeps_the_agent_version_that_it_began_with(world: World) -> None:
    agents = world.services.agents
    agent = (await agents.create(world.org, AgentSpec(name="writer", instructions="one"))).value
    session = await world.new_session(NewSession(agent="writer"))
    await world.send(session)
    await world.claim(session)
    await agents.update(world.org, agent.id, AgentSpec(name="writer", instructions="two"))
    await lose(world)
    again = await world.claim(session)
    assert (again.agent.version, again.agent.spec.instructions) == (1, "one")
    assert {started.agent_version for started in await world.said(session, TurnStarted)} == {1}


@pytest.mark.parametrize("stop", ["cancel", "end"])
async def test_a_stopped_turn_leaves_no_tool_call_without_its_one_result(world: World, stop: str) -> None:
    turn = await three_tools(world)
    if stop == "cancel":
        await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    else:
        await world.services.sessions.end(world.org, turn.session, "completed", None, SOMEBODY)
    results = {result.index: result.status for result in await world.said(turn.session, ToolCompleted)}
    assert results == {0: "done", 1: "cancelled", 2: "cancelled"}
    assert await world.problems() == []


async def test_a_turn_that_loses_every_worker_fails_and_says_what_is_not_known(world: World) -> None:
    turn = await world.claimed()
    said = (*answer(await open_call(world, turn)), request(0))
    await world.services.turns.append(turn, said, (ToolStarted(call=1, index=0),))
    await lose(world)
    for _ in range(3):
        await world.claim(turn.session)
        await lose(world)
    (failed,) = await world.said(turn.session, TurnFailed)
    (result,) = await world.said(turn.session, ToolCompleted)
    assert (failed.reason, result.status) == ("no_progress", "unknown")
    assert await world.problems() == []


async def test_large_answers_read_back_whole_after_a_loss(world: World) -> None:
    turn = await world.claimed()
    call = await open_call(world, turn)
    text = "long " * 20_000
    first, completed = answer(call)
    assert isinstance(first, MessageCompleted)
    long = MessageCompleted(message=call.message, call=1, text=text)
    await world.services.turns.append(turn, (long, completed, request(0)))
    await lose(world)
    again = await world.claim(turn.session)
    entries = await world.services.turns.entries_after(again, 0)
    assert [entry.event.text for entry in entries if isinstance(entry.event, MessageCompleted)] == [text]
