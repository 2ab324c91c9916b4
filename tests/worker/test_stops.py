"""Turns that are stopped on purpose, by somebody or by their deadline."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from sojourn.domain.content import ToolResultPart
from sojourn.domain.events import MessageCompleted, ToolCompleted, TurnCancelled
from sojourn.domain.ids import SessionId
from sojourn.domain.policy import Policy
from sojourn.ports.turns import Journal, Ready
from sojourn.service.sessions import NewSession
from tests.support.world import SOMEBODY, World
from tests.worker.model import Hang, ScriptedModel, calls, says
from tests.worker.tools import Gate, tool
from tests.worker.workplace import TOOLSET, model_runner, new_session, results, until, waited, working

WITHIN_A_MINUTE = NewSession(agent=TOOLSET, policy=Policy(max_turn_seconds=60))


async def test_a_cancelled_answer_keeps_its_text_so_far_as_an_interrupted_message(world: World) -> None:
    session = await world.new_session()
    sent = await world.send(session)
    hang = Hang("Once ", "upon")
    async with working(world, model_runner(ScriptedModel(hang, says("again")))):
        await waited(hang.begun)
        await world.services.turns.cancel(world.org, session, sent.turn, SOMEBODY)
        await waited(hang.stopped)
        await world.send(session, "and then?")
        await until(world, session, "turn.completed")
    first, second = await world.said(session, MessageCompleted)
    assert (first.text, first.interrupted) == ("Once upon", True)
    assert (second.text, second.interrupted) == ("again", False)
    [cancelled] = await world.said(session, TurnCancelled)
    assert (cancelled.reason, cancelled.by) == ("interrupted", SOMEBODY)


async def test_an_interrupting_input_takes_the_place_of_the_turn_and_reads_what_it_left(
    world: World,
) -> None:
    session = await world.new_session()
    await world.send(session, "tell me a story")
    hang = Hang("Once upon")
    model = ScriptedModel(hang, says("fine"))
    async with working(world, model_runner(model)):
        await waited(hang.begun)
        await world.send(session, "shorter", "interrupt")
        await until(world, session, "turn.completed")
    texts = [message.text for message in model.requests[1].messages]
    assert texts == ["tell me a story", "Once upon", "shorter"]


async def test_a_cancel_closes_every_open_tool_call_and_stops_the_tools(world: World) -> None:
    session = await new_session(world)
    sent = await world.send(session)
    gates = [Gate("one"), Gate("two")]
    model = ScriptedModel(calls("one", "two"), says("next"))
    async with working(world, model_runner(model, [gate.tool for gate in gates])):
        for gate in gates:
            await waited(gate.entered)
        await world.services.turns.cancel(world.org, session, sent.turn, SOMEBODY)
        for gate in gates:
            await waited(gate.cancelled)
        await world.send(session)
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "cancelled", (1, 1): "cancelled"}
    # The next turn's model reads a result for each call.
    parts = [part for message in model.requests[1].messages for part in message.parts]
    assert [part.status for part in parts if isinstance(part, ToolResultPart)] == ["cancelled"] * 2


async def test_a_turn_s_deadline_cancels_a_hung_tool(world: World) -> None:
    session = await new_session(world, WITHIN_A_MINUTE)
    await world.send(session)
    gate = Gate()
    async with working(world, model_runner(ScriptedModel(calls("gate")), [gate.tool])):
        await waited(gate.entered)
        world.clock.advance(59)
        await world.services.upkeep.tick()
        assert not gate.cancelled.is_set()
        world.clock.advance(1)
        await world.services.upkeep.tick()
        await waited(gate.cancelled)
    [cancelled] = await world.said(session, TurnCancelled)
    assert (cancelled.reason, cancelled.by.kind) == ("expired", "timeout")
    assert [tool.status for tool in await world.said(session, ToolCompleted)] == ["cancelled"]


async def test_an_answer_stopped_by_its_deadline_keeps_its_text_so_far(world: World) -> None:
    session = await new_session(world, WITHIN_A_MINUTE)
    await world.send(session)
    hang = Hang("Once upon")
    async with working(world, model_runner(ScriptedModel(hang))):
        await waited(hang.begun)
        world.clock.advance(60)
        await world.services.upkeep.tick()
        await waited(hang.stopped)
    [message] = await world.said(session, MessageCompleted)
    assert (message.text, message.interrupted) == ("Once upon", True)


@pytest.mark.parametrize("end", ["end", "delete"])
async def test_ending_or_deleting_a_session_stops_what_its_turn_does(world: World, end: str) -> None:
    session = await new_session(world)
    await world.send(session)
    gate = Gate()
    async with working(world, model_runner(ScriptedModel(calls("gate")), [gate.tool])):
        await waited(gate.entered)
        await ended(world, session, end)
        await waited(gate.cancelled)


async def ended(world: World, session: SessionId, how: str) -> None:
    if how == "end":
        await world.services.sessions.end(world.org, session, "cancelled", None, SOMEBODY)
    else:
        await world.services.sessions.delete(world.org, session, SOMEBODY)


async def test_a_step_that_is_told_twice_to_stop_ends_as_it_likes(world: World) -> None:
    entered, ending, may_end, ended = (asyncio.Event() for _ in range(4))

    async def tidy(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
        entered.set()
        try:
            return await asyncio.Future[str]()
        finally:
            ending.set()
            await may_end.wait()
            ended.set()

    session = await new_session(world)
    runner = model_runner(ScriptedModel(calls("tidy")), [tool("tidy", tidy)])
    async with working(world, runner) as worker:
        sent = await world.send(session)
        await waited(entered)
        await world.services.turns.cancel(world.org, session, sent.turn, SOMEBODY)
        await waited(ending)
        # As a renewal says it, once more, of a turn that a notification told of.
        assert worker.stop_turn(Ready(world.org, session), sent.turn)
        await world.record(session)
        may_end.set()
        await waited(ended)
