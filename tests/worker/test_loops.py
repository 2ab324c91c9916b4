"""A model that asks for the same over and over is stopped."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sojourn.domain.agent import AgentSpec
from sojourn.domain.errors import LeaseLost
from sojourn.domain.events import ModelCalled, TurnFailed
from sojourn.domain.overlay import Overlay
from sojourn.ports.turns import Journal
from sojourn.runners.model.loop import MAX_SAME_ROUNDS
from sojourn.service.sessions import NewSession
from sojourn.worker.execution import Execution, Folds
from tests.support.world import World
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.mortal import MortalTurns, Vanished
from tests.worker.tools import prints, tool
from tests.worker.workplace import model_runner, new_session, results, until, working


async def test_the_same_calls_with_the_same_results_end_the_turn_as_leading_nowhere(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    model = ScriptedModel(calls("look", arguments='{"at": 1}'))
    async with working(world, model_runner(model, [prints("look", "nothing")])):
        await until(world, session, "turn.failed")
    [failed] = await world.said(session, TurnFailed)
    assert (failed.reason, len(model.requests)) == ("no_progress", MAX_SAME_ROUNDS)
    assert len(await results(world, session)) == MAX_SAME_ROUNDS


async def test_a_model_that_goes_back_and_forth_between_a_few_calls_is_in_a_loop_too(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    turns = [calls("look"), calls("look", arguments='{"at": 1}'), calls("look", "look")]
    model = ScriptedModel(*turns * (MAX_SAME_ROUNDS + 1))
    async with working(world, model_runner(model, [prints("look", "nothing")])):
        await until(world, session, "turn.failed")
    [failed] = await world.said(session, TurnFailed)
    assert (failed.reason, len(model.requests)) == ("no_progress", len(turns) * MAX_SAME_ROUNDS)


async def test_calls_whose_results_change_now_and_then_are_no_loop(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    runs = iter(range(100))

    async def tick(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
        return str(next(runs) // (MAX_SAME_ROUNDS - 1))

    model = ScriptedModel(*[calls("tick")] * (3 * MAX_SAME_ROUNDS), says("done"))
    async with working(world, model_runner(model, [tool("tick", tick)])):
        await until(world, session, "turn.completed")
    assert len(model.requests) == 3 * MAX_SAME_ROUNDS + 1


async def test_a_turn_makes_no_more_model_calls_than_its_agent_or_else_its_session_allows(
    world: World,
) -> None:
    agent = await world.services.agents.create(world.org, AgentSpec(name="brief", max_model_calls=3))
    overlay = Overlay(max_model_calls=2)
    for most, new in ((3, NewSession(agent="brief")), (2, NewSession(agent=agent.value.id, overlay=overlay))):
        session = await world.new_session(new)
        await world.send(session)
        model = ScriptedModel(*[calls("look", arguments=f'{{"at": {at}}}') for at in range(5)])
        async with working(world, model_runner(model, [prints("look", "nothing")])):
            await until(world, session, "turn.failed")
        [failed] = await world.said(session, TurnFailed)
        assert (failed.reason, len(model.requests)) == ("no_progress", most)
        assert failed.error == f"The turn came to its limit of model calls, {most}, without an end."
        # The last call's tools have their results, and no other call was announced.
        assert len(await world.said(session, ModelCalled)) == most
        assert len(await results(world, session)) == most


async def test_a_loop_is_recognised_across_the_workers_that_are_lost_in_it(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    runner = model_runner(ScriptedModel(calls("look")), [prints("look", "nothing", repeatable=True)])
    deaths = 0
    while not await world.said(session, TurnFailed):
        turn = await world.claim(session)
        try:
            await Execution(MortalTurns(world, 6, is_after=True), {"model": runner}, Folds()).execute(turn)
        except Vanished:
            deaths += 1
            with suppress(LeaseLost):
                await world.services.turns.give_back(turn)
    assert deaths > 2
    [failed] = await world.said(session, TurnFailed)
    assert failed.reason == "no_progress"
    assert len(await results(world, session)) == MAX_SAME_ROUNDS
