"""Tools side by side, their failures, and what a recovery does with them."""

import asyncio

import pytest

from sojourn.domain.events import ToolCompleted, ToolStarted
from sojourn.runners.model import loop
from sojourn.runners.model.tools import Tool, ToolFailed
from tests.support.world import World
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.tools import Gate, prints, raises
from tests.worker.workplace import execution, model_runner, new_session, results, until, waited, working


async def outputs(world: World, tools: list[Tool], *names: str) -> list[tuple[str, str]]:
    """Status and output of each tool of one turn that calls `names`."""
    session = await new_session(world)
    await world.send(session)
    model = ScriptedModel(calls(*names), says("done"))
    async with working(world, model_runner(model, tools)):
        await until(world, session, "turn.completed")
    completed = sorted(await world.said(session, ToolCompleted), key=lambda tool: tool.index)
    return [(tool.status, tool.output) for tool in completed]


async def test_what_a_tool_raises_becomes_a_result_that_the_model_reads(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    tools = [
        raises("refuses", ToolFailed("No such city.")),
        raises("breaks", ZeroDivisionError("secret detail")),
        raises("times-out", TimeoutError("of its own")),
        raises("cancels", asyncio.CancelledError()),
    ]
    caplog.set_level("CRITICAL", "sojourn.runners.model.loop")
    assert await outputs(world, tools, "refuses", "breaks", "times-out", "cancels", "is-missing") == [
        ("error", "No such city."),
        ("error", "The tool failed."),
        ("error", "The tool failed."),
        ("error", "The tool failed."),
        ("error", "There is no tool is-missing."),
    ]


async def test_arguments_that_are_no_json_object_are_an_error_result(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    model = ScriptedModel(calls("fine", arguments="not JSON"), calls("fine", arguments="[]"), says("done"))
    async with working(world, model_runner(model, [prints("fine", "ran")])):
        await until(world, session, "turn.completed")
    assert [(tool.status, tool.output) for tool in await world.said(session, ToolCompleted)] == [
        ("error", "The arguments are not JSON."),
        ("error", "The arguments are not a JSON object."),
    ]


async def test_a_tool_that_runs_too_long_is_stopped_and_its_outcome_is_unknown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "TOOL_SECONDS", 0.01)
    gate = Gate()
    assert await outputs(world, [gate.tool], "gate") == [
        ("unknown", "The tool did not end within 0.01 s."),
    ]
    assert gate.cancelled.is_set()


async def test_each_of_several_tools_has_its_result_logged_while_others_still_run(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    slow, slower = Gate("slow"), Gate("slower")
    model = ScriptedModel(calls("slower", "quick", "slow"), says("done"))
    async with working(world, model_runner(model, [slow.tool, slower.tool, prints("quick", "ran")])):
        await until(world, session, "tool.completed")
        assert await results(world, session) == {(1, 1): "done"}
        slow.open()
        await until(world, session, "tool.completed", 2)
        assert await results(world, session) == {(1, 1): "done", (1, 2): "done"}
        assert len(model.requests) == 1
        slower.open()
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "done", (1, 1): "done", (1, 2): "done"}
    # The model reads them all, each with the call that it answers.
    parts = [
        part for message in model.requests[1].messages if message.role == "tool" for part in message.parts
    ]
    assert [getattr(part, "id", None) for part in parts] == ["call-1-1", "call-1-2", "call-1-0"]


async def test_after_a_lost_worker_only_repeatable_tools_run_again_and_finished_ones_do_not(
    world: World,
) -> None:
    session = await new_session(world)
    await world.send(session)
    once, again = Gate("once"), Gate("again", repeatable=True)
    model = ScriptedModel(calls("once", "quick", "again"), says("done"))
    runner = model_runner(model, [once.tool, again.tool, prints("quick", "ran")])
    turn = await world.claim(session)
    lost = asyncio.create_task(execution(world, runner).execute(turn))
    await until(world, session, "tool.completed")
    await waited(again.entered)
    lost.cancel()
    await asyncio.wait([lost])
    await world.services.turns.give_back(turn)
    again.open()
    async with working(world, runner):
        await until(world, session, "turn.completed")
    assert (once.runs, again.runs) == (1, 2)
    assert await results(world, session) == {(1, 0): "unknown", (1, 1): "done", (1, 2): "done"}
    started = [(tool.call, tool.index) for tool in await world.said(session, ToolStarted)]
    assert started == [(1, 0), (1, 1), (1, 2), (1, 2)]
    assert len(model.requests) == 2
