"""A tool that was started and whose worker was lost: its rule says what becomes of it."""

import asyncio

import pytest

from sojourn.domain.events import ToolCompleted, ToolStarted, TurnFailed
from sojourn.domain.ids import SessionId
from sojourn.domain.overlay import Overlay
from sojourn.domain.tool_policy import DetailedRule, OnLost
from sojourn.runners.model.loop import ModelRunner
from sojourn.service.asks import Verdict
from sojourn.service.sessions import NewSession
from tests.support.world import SOMEBODY, World
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.tools import Gate, prints
from tests.worker.workplace import (
    TOOLSET,
    execution,
    model_runner,
    new_session,
    results,
    until,
    waited,
    working,
)


async def test_by_its_rule_a_lost_call_runs_again_although_that_may_do_harm(world: World) -> None:
    gate = Gate("gate")
    session, runner = await lose(world, gate, "retry")
    gate.open()
    async with working(world, runner):
        await until(world, session, "turn.completed")
    assert gate.runs == 2
    assert await results(world, session) == {(1, 0): "done", (1, 1): "done"}


async def test_by_its_rule_a_lost_call_that_could_run_again_is_reported_instead(world: World) -> None:
    gate = Gate("gate", repeatable=True)
    session, runner = await lose(world, gate, "report")
    async with working(world, runner):
        await until(world, session, "turn.completed")
    assert gate.runs == 1
    assert await results(world, session) == {(1, 0): "unknown", (1, 1): "done"}


async def test_by_its_rule_a_lost_call_fails_its_turn_and_each_call_has_its_result(world: World) -> None:
    gate = Gate("gate")
    session, runner = await lose(world, gate, "fail")
    async with working(world, runner):
        await until(world, session, "turn.failed")
    [failed] = await world.said(session, TurnFailed)
    assert (failed.reason, "The worker that ran gate was lost" in failed.error) == ("error", True)
    assert await results(world, session) == {(1, 0): "unknown", (1, 1): "done"}
    assert await world.problems() == []


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_by_its_rule_somebody_is_asked_whether_a_lost_call_runs_again(
    world: World, decision: str
) -> None:
    gate = Gate("gate")
    session, runner = await lose(world, gate, "ask")
    async with working(world, runner):
        await until(world, session, "turn.waiting")
        gate.open()
        [ask] = await world.services.asks.list(world.org, session, True, None, 10)
        assert (ask.kind, ask.prompt["name"], ask.prompt["lost"]) == ("approval", "gate", True)
        verdict = Verdict("allow") if decision == "allow" else Verdict("deny")
        await world.services.asks.decide(world.org, session, ask.id, verdict, SOMEBODY)
        await until(world, session, "turn.completed")
    assert gate.runs == (2 if decision == "allow" else 1)
    # Whoever does not want it run again has not said that it never ran.
    assert await results(world, session) == {
        (1, 0): "done" if decision == "allow" else "unknown",
        (1, 1): "done",
    }
    assert await world.problems() == []


async def test_a_call_runs_again_with_the_arguments_that_were_allowed_before_it_was_lost(
    world: World,
) -> None:
    gate = Gate("gate")
    rule = DetailedRule(rule="ask", on_lost="ask")
    session = await made(world, rule)
    runner = model_runner(
        ScriptedModel(calls("gate", "quick"), says("done")), [gate.tool, prints("quick", "ran")]
    )
    async with working(world, runner):
        await until(world, session, "turn.waiting")
        [ask] = await world.services.asks.list(world.org, session, True, None, 10)
        allowed = Verdict("allow", {"arguments": {"at": 7}}, always=True)
        await world.services.asks.decide(world.org, session, ask.id, allowed, SOMEBODY)
        await waited(gate.entered)
    async with working(world, runner):
        await until(world, session, "turn.waiting", 2)
        gate.open()
        [ask] = await world.services.asks.list(world.org, session, True, None, 10)
        assert ask.prompt["arguments"] == {"at": 7}
        await world.services.asks.decide(world.org, session, ask.id, Verdict("allow"), SOMEBODY)
        await until(world, session, "turn.completed")
    assert gate.runs == 2
    assert len(await world.said(session, ToolStarted)) == 3
    assert {tool.status for tool in await world.said(session, ToolCompleted)} == {"done"}


async def made(world: World, rule: DetailedRule) -> SessionId:
    """A session of the test's agent with a rule about the gate, and a message to it."""
    await new_session(world)
    session = await world.new_session(NewSession(agent=TOOLSET, overlay=Overlay(tool_policy={"gate": rule})))
    await world.send(session)
    return session


async def lose(world: World, gate: Gate, on_lost: OnLost) -> tuple[SessionId, ModelRunner]:
    """A session whose worker was lost while the gate was shut, and a runner to go on with."""
    session = await made(world, DetailedRule(rule="allow", on_lost=on_lost))
    runner = model_runner(
        ScriptedModel(calls("gate", "quick"), says("done")), [gate.tool, prints("quick", "ran")]
    )
    turn = await world.claim(session)
    lost = asyncio.create_task(execution(world, runner).execute(turn))
    await until(world, session, "tool.completed")
    await waited(gate.entered)
    lost.cancel()
    await asyncio.wait([lost])
    await world.services.turns.give_back(turn)
    return session, runner
