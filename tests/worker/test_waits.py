"""Tools that a client carries out: the turn parks, costs nothing, and goes on with what was decided."""

import json
from contextlib import suppress
from typing import Any

import pytest

from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.content import ToolResultPart
from sojourn.domain.errors import LeaseLost
from sojourn.domain.events import ModelCalled, ToolCompleted, ToolRequested, ToolStarted
from sojourn.domain.ids import SessionId
from sojourn.domain.overlay import Overlay
from sojourn.domain.session import Activity
from sojourn.runners.model.loop import ModelRunner
from sojourn.runners.model.sim import SimulatedModel
from sojourn.runners.model.tools import BUILT_IN
from sojourn.service.asks import Verdict
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.worker.execution import Execution, Folds
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import SOMEBODY, World, open_world
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.mortal import MortalTurns, Vanished
from tests.worker.tools import Gate, prints
from tests.worker.workplace import model_runner, new_session, results, until, working

SIM = ModelRunner(lambda _org, _model: SimulatedModel(), BUILT_IN)
LOOK = ClientTool(name="look", description="Looks.", parameters={"type": "object", "properties": {}})
CLIENT = Overlay(
    model="sim/script", client_tools=(LOOK, ClientTool(name="nod", description="", parameters={}))
)


def script(*steps: dict[str, Any]) -> str:
    return json.dumps(steps)


async def decide(world: World, session: SessionId, **verdicts: Verdict) -> None:
    """Of the tools of those names."""
    asks = await world.services.asks.list(world.org, session, True, None, 100)
    by_name = {str(ask.prompt["name"]): str(ask.prompt["tool_call_id"]) for ask in asks}
    chosen = {by_name[name]: verdict for name, verdict in verdicts.items()}
    await world.services.asks.decide_calls(world.org, session, chosen, SOMEBODY)


async def texts(world: World, session: SessionId) -> list[str]:
    return [message.text for message in (await world.conversation(session)).messages]


async def test_a_client_carries_out_a_tool_and_the_model_reads_what_it_answers(world: World) -> None:
    session = await world.new_session(NewSession(overlay=CLIENT))
    await world.send(session, script({"call": {"name": "look", "arguments": {"at": "sky"}}}, {"say": "blue"}))
    async with working(world, SIM):
        await until(world, session, "turn.waiting")
        (ask,) = await world.services.asks.list(world.org, session, True, None, 10)
        assert (ask.kind, ask.prompt) == (
            "client_tool",
            {"tool_call_id": "sim-1", "name": "look", "arguments": {"at": "sky"}, "call": 1, "index": 0},
        )
        assert (await world.record(session)).session.activity is Activity.WAITING
        await decide(world, session, look=Verdict("answer", {"colour": "blue"}))
        await until(world, session, "turn.completed")
    (result,) = await world.said(session, ToolCompleted)
    assert (result.id, result.status, result.output) == ("sim-1", "done", '{"colour": "blue"}')
    # Nobody here ran it, so nobody said that it would.
    assert await world.said(session, ToolStarted) == []
    assert (await texts(world, session))[-1] == "blue"
    assert await world.problems() == []


@pytest.mark.parametrize(
    ("verdict", "status", "output"),
    [
        (Verdict("answer", "fine"), "done", "fine"),
        (Verdict("answer", {"error": "no eyes"}), "error", "no eyes"),
        (Verdict("deny"), "cancelled", ""),
        (Verdict("deny", {"reason": "rude"}), "cancelled", "rude"),
    ],
)
async def test_each_decision_becomes_one_result_that_the_model_reads(
    world: World, verdict: Verdict, status: str, output: str
) -> None:
    session = await world.new_session(NewSession(overlay=CLIENT))
    await world.send(session)
    model = ScriptedModel(calls("look"), says("done"))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.waiting")
        await decide(world, session, look=verdict)
        await until(world, session, "turn.completed")
    (part,) = (part for part in model.requests[1].messages[-1].parts if isinstance(part, ToolResultPart))
    assert (part.name, part.status, part.output) == ("look", status, output)
    assert await world.problems() == []


async def test_tools_of_ours_run_before_the_turn_parks_for_those_of_the_client(world: World) -> None:
    session = await new_session(world)
    await world.services.sessions.update(world.org, session, SessionChange(overlay=CLIENT), SOMEBODY)
    await world.send(session)
    gate = Gate("gate")
    model = ScriptedModel(calls("look", "gate", "nod", "quick", "missing"), says("done"))
    async with working(world, model_runner(model, [gate.tool, prints("quick", "ran")])):
        await until(world, session, "tool.completed", 2)
        assert (await world.record(session)).session.activity is Activity.BUSY
        gate.open()
        await until(world, session, "turn.waiting")
        assert await results(world, session) == {(1, 1): "done", (1, 3): "done", (1, 4): "error"}
        await decide(world, session, nod=Verdict("answer"))
        await decide(world, session, look=Verdict("deny"))
        await until(world, session, "turn.completed")
    assert (await results(world, session))[1, 0] == "cancelled"
    assert (await results(world, session))[1, 2] == "done"
    names = [tool.name for tool in model.requests[0].tools]
    assert names == ["gate", "quick", "look", "nod"]
    assert await world.problems() == []


async def test_a_turn_may_wait_again_and_again(world: World) -> None:
    session = await world.new_session(NewSession(overlay=CLIENT))
    await world.send(
        session,
        script({"call": [{"name": "look"}, {"name": "nod"}]}, {"call": {"name": "look"}}, {"say": "ok"}),
    )
    async with working(world, SIM):
        await until(world, session, "turn.waiting")
        await decide(world, session, look=Verdict("answer"), nod=Verdict("answer"))
        await until(world, session, "turn.waiting", 2)
        await decide(world, session, look=Verdict("answer"))
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "done", (1, 1): "done", (2, 0): "done"}
    assert await world.problems() == []


@pytest.mark.parametrize("arguments", ["not JSON", "[]", '{"at": "\\ud800"}', '{"n": NaN}', "[" * 100_000])
async def test_a_call_that_no_client_could_carry_out_fails_without_asking_anybody(
    world: World, arguments: str
) -> None:
    session = await world.new_session(NewSession(overlay=CLIENT))
    await world.send(session)
    model = ScriptedModel(calls("look", arguments=arguments), says("done"))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.completed")
    (result,) = await world.said(session, ToolCompleted)
    assert (result.status, result.output) == ("error", "The arguments are not a JSON object.")
    assert await world.services.asks.list(world.org, session, False, None, 10) == []


async def test_a_steer_to_a_waiting_turn_is_read_before_its_next_model_call(world: World) -> None:
    session = await world.new_session(NewSession(overlay=CLIENT))
    await world.send(session)
    model = ScriptedModel(calls("look"), says("done"))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.waiting")
        await world.send(session, "never mind", "steer")
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "cancelled"}
    assert [message.role for message in model.requests[1].messages] == ["user", "assistant", "tool", "user"]
    assert model.requests[1].messages[-1].text == "never mind"
    assert len(await world.services.turns.list(world.org, session, None, 10)) == 1
    assert await world.problems() == []


async def test_a_session_runs_with_what_it_adds_to_its_agent(world: World) -> None:
    spec = AgentSpec(name="clerk", instructions="Be kind.", model="sim/echo", client_tools=(LOOK,))
    await world.services.agents.create(world.org, spec)
    overlay = Overlay(instructions="Be brief.", model="sim/script", client_tools=CLIENT.client_tools[1:])
    session = await world.new_session(NewSession(agent="clerk", overlay=overlay))
    await world.send(session)
    model = ScriptedModel(says("done"))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.completed")
        # A change is read by the next claim.
        await world.services.sessions.update(world.org, session, SessionChange(overlay=None), SOMEBODY)
        await world.send(session)
        await until(world, session, "turn.completed", 2)
    first, second = model.requests
    assert (first.instructions, first.model) == ("Be kind.\n\nBe brief.", "sim/script")
    assert [tool.name for tool in first.tools] == ["look", "nod"]
    assert (second.instructions, second.model) == ("Be kind.", "sim/echo")
    assert [tool.name for tool in second.tools] == ["look"]


async def test_a_worker_that_is_lost_at_any_write_loses_no_decision_and_doubles_no_result(
    world: World,
) -> None:
    """Each claim's holder vanishes after one write, before it or after it, until the turn is over."""
    session = await new_session(world)
    await world.services.sessions.update(world.org, session, SessionChange(overlay=CLIENT), SOMEBODY)
    called = [{"name": name} for name in ("look", "quick", "nod")]
    await world.send(session, script({"call": called}, {"say": "done"}))
    runner = model_runner(SimulatedModel(), [prints("quick", "ran", repeatable=True)])
    deaths = 0
    for claim in range(40):
        record = (await world.record(session)).session
        if record.activity is Activity.IDLE:
            break
        if record.activity is Activity.WAITING:
            ask, *_ = await world.services.asks.list(world.org, session, True, None, 10)
            name = str(ask.prompt["name"])
            await decide(world, session, **{name: Verdict("answer", name)})
            continue
        turn = await world.claim(session, f"worker {claim}")
        turns = MortalTurns(world, 1 + claim // 4, is_after=bool(claim % 2))
        try:
            await Execution(turns, {"model": runner}, Folds()).execute(turn)
        except Vanished:
            deaths += 1
            with suppress(LeaseLost):
                await world.services.turns.give_back(turn)
    assert deaths > 5
    assert await results(world, session) == {(1, 0): "done", (1, 1): "done", (1, 2): "done"}
    outputs = {tool.name: tool.output for tool in await world.said(session, ToolCompleted)}
    assert outputs == {"look": "look", "quick": "ran", "nod": "nod"}
    assert len(await world.said(session, ToolRequested)) == 3
    assert [called.call for called in await world.said(session, ModelCalled)][-1] == 2
    assert await world.problems() == []


async def test_a_waiting_turn_survives_any_number_of_restarts(database: Database, clock: HandClock) -> None:
    async with open_world(database, clock) as world:
        session = await world.new_session(NewSession(overlay=CLIENT))
        await world.send(session, script({"call": [{"name": "look"}, {"name": "nod"}]}, {"say": "blue"}))
        async with working(world, SIM):
            await until(world, session, "turn.waiting")
        log = await world.types(session)
    for _ in range(20):
        async with open_world(database, clock) as world:
            await world.services.upkeep.start()
            async with working(world, SIM):
                await world.services.upkeep.tick()
                assert (await world.record(session)).session.activity is Activity.WAITING
            assert await world.types(session) == log
    async with open_world(database, clock) as world:
        await decide(world, session, look=Verdict("answer", "up"))
    async with open_world(database, clock) as world:
        async with working(world, SIM):
            await decide(world, session, nod=Verdict("answer"))
            await until(world, session, "turn.completed")
        assert await results(world, session) == {(1, 0): "done", (1, 1): "done"}
        assert (await texts(world, session))[-1] == "blue"
        assert await world.problems() == []
