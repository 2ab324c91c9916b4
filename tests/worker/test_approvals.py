"""Tools that somebody has to allow, tools that nobody may use, and questions to the user."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import Ask
from sojourn.domain.content import ToolResultPart
from sojourn.domain.errors import InvalidRequest, LeaseLost
from sojourn.domain.events import AskDecided, SessionUpdated, ToolCompleted, ToolDenied, ToolStarted
from sojourn.domain.ids import SessionId
from sojourn.domain.overlay import Overlay
from sojourn.domain.session import Activity
from sojourn.domain.tool_policy import DetailedRule, OnExpire, ToolPolicy, ToolRule
from sojourn.ports.turns import Journal
from sojourn.runners.model.loop import ModelRunner
from sojourn.runners.model.sim import SimulatedModel
from sojourn.runners.model.tools import BUILT_IN, Tool
from sojourn.service.asks import Verdict
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.worker.execution import Execution, Folds
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import SOMEBODY, World, open_world
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.mortal import MortalTurns, Vanished
from tests.worker.test_waits import LOOK, script
from tests.worker.tools import prints, tool
from tests.worker.workplace import TOOLSET, model_runner, new_session, results, until, working

ALLOW = Verdict("allow")
# Has an agent and a model of its own, so that every database may run it.
SIM = ModelRunner(lambda _org, _model: SimulatedModel(), BUILT_IN)


class Recorder:
    """A tool that remembers what it was called with."""

    def __init__(self, name: str, *, repeatable: bool = False) -> None:
        self.arguments: list[Mapping[str, Any]] = []
        self.tool: Tool = tool(name, self._run, repeatable)

    async def _run(self, _journal: Journal, arguments: Mapping[str, Any]) -> str:
        self.arguments.append(arguments)
        return "ran"


async def ruled(world: World, overlay: Overlay) -> SessionId:
    """A session with the test's tools, rules about them, and a message."""
    session = await new_session(world)
    await world.services.sessions.update(world.org, session, SessionChange(overlay=overlay), SOMEBODY)
    await world.send(session)
    return session


async def open_asks(world: World, session: SessionId) -> list[Ask]:
    return [*await world.services.asks.list(world.org, session, True, None, 100)]


async def decide(world: World, session: SessionId, verdict: Verdict, name: str | None = None) -> None:
    """The one open ask, or that about the tool of a name."""
    asks = await open_asks(world, session)
    (ask,) = [ask for ask in asks if name in (None, ask.prompt["name"])]
    await world.services.asks.decide(world.org, session, ask.id, verdict, SOMEBODY)


async def read_by_model(model: ScriptedModel) -> list[tuple[str, str, str]]:
    parts = model.requests[-1].messages[-1].parts
    return [(part.name, part.status, part.output) for part in parts if isinstance(part, ToolResultPart)]


async def test_a_tool_runs_once_somebody_has_allowed_it(world: World) -> None:
    session = await ruled(world, Overlay(tool_policy={"send": "ask"}))
    sends = Recorder("send")
    model = ScriptedModel(calls("send", "quick", arguments='{"to": "all"}'), says("done"))
    async with working(world, model_runner(model, [sends.tool, prints("quick", "ran")])):
        await until(world, session, "turn.waiting")
        # The other tool of the answer did not wait.
        assert await results(world, session) == {(1, 1): "done"}
        (ask,) = await open_asks(world, session)
        assert (ask.kind, ask.prompt["name"], ask.prompt["arguments"]) == ("approval", "send", {"to": "all"})
        assert (sends.arguments, ask.expires_at) == ([], None)
        await decide(world, session, ALLOW)
        await until(world, session, "turn.completed")
    assert sends.arguments == [{"to": "all"}]
    assert await results(world, session) == {(1, 0): "done", (1, 1): "done"}
    assert len(await world.said(session, ToolStarted)) == 2
    assert await world.problems() == []


async def test_a_tool_runs_with_the_arguments_that_were_allowed_even_after_a_lost_worker(
    world: World,
) -> None:
    session = await ruled(world, Overlay(model="sim/script", tool_policy={"*": "ask"}))
    steps = ({"call": {"name": "send", "arguments": {"to": "all"}}}, {"say": "done"})
    await world.send(session, script(*steps), "interrupt")
    sends = Recorder("send", repeatable=True)
    runner = model_runner(SimulatedModel(), [sends.tool])
    async with working(world, runner):
        await until(world, session, "turn.waiting")
    await decide(world, session, Verdict("allow", {"arguments": {"to": "me"}}))
    turn = await world.claim(session)
    with suppress(Vanished):
        # The start is in the log, and nobody lives to tell the result.
        await Execution(MortalTurns(world, 1, is_after=True), {"model": runner}, Folds()).execute(turn)
    assert (len(await world.said(session, ToolStarted)), sends.arguments) == (1, [])
    with suppress(LeaseLost):
        await world.services.turns.give_back(turn)
    async with working(world, runner):
        await until(world, session, "turn.completed")
    assert sends.arguments == [{"to": "me"}]
    assert await world.problems() == []


async def test_a_denied_tool_does_not_run_and_the_model_reads_why(world: World) -> None:
    session = await ruled(world, Overlay(tool_policy={"send": "ask"}))
    sends = Recorder("send")
    model = ScriptedModel(calls("send"), says("a pity"))
    async with working(world, model_runner(model, [sends.tool])):
        await until(world, session, "turn.waiting")
        await decide(world, session, Verdict("deny", {"reason": "too many"}))
        await until(world, session, "turn.completed")
    assert sends.arguments == []
    assert await read_by_model(model) == [("send", "error", "The call was denied: too many")]
    (decided,) = await world.said(session, AskDecided)
    assert decided.by == SOMEBODY
    assert await world.problems() == []


@pytest.mark.parametrize("rule", ["send", "*"])
async def test_what_the_policy_forbids_is_denied_without_asking_and_the_log_names_the_rule(
    world: World, rule: str
) -> None:
    overlay = Overlay(tool_policy={rule: "deny", "quick": "allow"}, client_tools=(LOOK,))
    session = await ruled(world, overlay)
    sends = Recorder("send")
    model = ScriptedModel(calls("send", "quick", "missing"), calls("send"), says("a pity"))
    async with working(world, model_runner(model, [sends.tool, prints("quick", "ran")])):
        await until(world, session, "turn.completed")
    assert sends.arguments == []
    assert await results(world, session) == {
        (1, 0): "error",
        (1, 1): "done",
        (1, 2): "error",
        (2, 0): "error",
    }
    assert await read_by_model(model) == [("send", "error", "The tool policy forbids this call.")]
    denied = [(one.call, one.index, one.rule) for one in await world.said(session, ToolDenied)]
    assert denied == [(1, 0, rule), (2, 0, rule)]
    assert await world.services.asks.list(world.org, session, False, None, 10) == []
    assert await world.problems() == []


async def test_a_client_is_not_asked_for_a_tool_that_the_policy_forbids(world: World) -> None:
    session = await ruled(world, Overlay(tool_policy={"look": "deny"}, client_tools=(LOOK,)))
    model = ScriptedModel(calls("look"), says("a pity"))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "error"}
    assert await world.problems() == []


@pytest.mark.parametrize(("decision", "status"), [("allow", "done"), ("deny", "error")])
async def test_what_is_decided_for_good_is_a_rule_of_the_session_from_then_on(
    world: World, decision: ToolRule, status: str
) -> None:
    session = await ruled(world, Overlay(instructions="Be kind.", tool_policy={"*": "ask"}))
    model = ScriptedModel(calls("send"), calls("send"), calls("quick"), says("done"))
    verdict = replace(ALLOW if decision == "allow" else Verdict("deny"), always=True)
    async with working(world, model_runner(model, [Recorder("send").tool, prints("quick", "ran")])):
        await until(world, session, "turn.waiting")
        await decide(world, session, verdict)
        # The second call of the tool asked nobody; that of another one does.
        await until(world, session, "turn.waiting", 2)
        await decide(world, session, ALLOW, "quick")
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): status, (2, 0): status, (3, 0): "done"}
    record = await world.record(session)
    assert record.overlay == Overlay(instructions="Be kind.", tool_policy={"*": "ask", "send": decision})
    updated = (await world.said(session, SessionUpdated))[-1]
    assert (updated.by, record.session.revision) == (SOMEBODY, updated.revision)
    assert await world.problems() == []


async def test_always_is_a_word_for_approvals_only_and_a_repeated_decision_makes_no_second_rule(
    world: World,
) -> None:
    session = await ruled(world, Overlay(client_tools=(LOOK,)))
    async with working(world, model_runner(ScriptedModel(calls("look"), says("done")))):
        await until(world, session, "turn.waiting")
        with pytest.raises(InvalidRequest, match="always"):
            await decide(world, session, Verdict("deny", always=True))
        with pytest.raises(InvalidRequest, match="decision"):
            await decide(world, session, replace(ALLOW, always=True))


@pytest.mark.parametrize(
    ("on_expire", "status", "decision"), [("deny", "error", "deny"), ("allow", "done", "allow")]
)
async def test_an_approval_that_nobody_decides_is_decided_by_time(
    world: World, on_expire: OnExpire, status: str, decision: str
) -> None:
    overlay = Overlay(tool_policy={"send": "ask"}, ask_timeout_seconds=60.0, on_ask_expire=on_expire)
    session = await ruled(world, overlay)
    model = ScriptedModel(calls("send"), says("done"))
    async with working(world, model_runner(model, [Recorder("send").tool])):
        await until(world, session, "turn.waiting")
        world.clock.advance(59)
        await world.services.upkeep.tick()
        assert len(await open_asks(world, session)) == 1
        world.clock.advance(1)
        await world.services.upkeep.tick()
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): status}
    (decided,) = await world.said(session, AskDecided)
    assert (decided.decision, decided.by.kind) == (decision, "timeout")
    assert await world.problems() == []


async def test_an_approval_that_is_kept_waits_on_and_a_client_is_never_answered_for(world: World) -> None:
    rules = Overlay(tool_policy={"send": "ask"}, ask_timeout_seconds=60.0)
    kept = await ruled(world, replace(rules, on_ask_expire="keep"))
    model = ScriptedModel(calls("send"))
    async with working(world, model_runner(model, [Recorder("send").tool])):
        await until(world, kept, "turn.waiting")
    asked = await ruled(world, replace(rules, on_ask_expire="allow", client_tools=(LOOK,)))
    async with working(world, model_runner(ScriptedModel(calls("look"), says("done")))):
        await until(world, asked, "turn.waiting")
        world.clock.advance(100_000)
        await world.services.upkeep.tick()
        await until(world, asked, "turn.completed")
    assert (await world.record(kept)).session.activity is Activity.WAITING
    (result,) = await world.said(asked, ToolCompleted)
    assert (result.status, result.output) == ("cancelled", "Nobody decided in time.")


async def test_an_agents_rules_hold_in_every_session_of_it(world: World) -> None:
    spec = AgentSpec(name="careful", tools=(TOOLSET,), tool_policy={"*": "ask"})
    await world.services.agents.create(world.org, spec)
    session = await world.new_session(NewSession(agent="careful"))
    await world.send(session)
    async with working(
        world, model_runner(ScriptedModel(calls("send"), says("done")), [Recorder("send").tool])
    ):
        await until(world, session, "turn.waiting")
        await decide(world, session, ALLOW)
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "done"}


async def test_a_steer_denies_an_approval_and_is_read_with_the_denial(world: World) -> None:
    session = await ruled(world, Overlay(tool_policy={"send": "ask"}))
    model = ScriptedModel(calls("send"), says("done"))
    async with working(world, model_runner(model, [Recorder("send").tool])):
        await until(world, session, "turn.waiting")
        await world.send(session, "do not", "steer")
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "error"}
    assert [message.role for message in model.requests[1].messages[-2:]] == ["tool", "user"]
    assert await world.problems() == []


async def test_a_turn_that_waits_for_an_approval_survives_any_number_of_restarts(
    database: Database, clock: HandClock
) -> None:
    async with open_world(database, clock) as world:
        overlay = Overlay(model="sim/script", tools=("files",), tool_policy={"write_file": "ask"})
        session = await world.new_session(NewSession(overlay=overlay))
        arguments = {"path": "a.txt", "content": "hello"}
        call = {"call": {"name": "write_file", "arguments": arguments}}
        await world.send(session, script(call, {"say": "written"}))
        async with working(world, SIM):
            await until(world, session, "turn.waiting")
        log = await world.types(session)
    for _ in range(20):
        async with open_world(database, clock) as world:
            await world.services.upkeep.start()
            async with working(world, SIM):
                await world.services.upkeep.tick()
            assert await world.types(session) == log
    async with open_world(database, clock) as world:
        await decide(world, session, ALLOW)
        async with working(world, SIM):
            await until(world, session, "turn.completed")
        assert (await world.store.reads.list_files(world.org, session)) != []
        assert await results(world, session) == {(1, 0): "done"}
        assert await world.problems() == []


async def asking_user(world: World, arguments: object) -> SessionId:
    overlay = Overlay(model="sim/script", tools=("ask_user",))
    session = await world.new_session(NewSession(overlay=overlay))
    await world.send(session, script({"call": {"name": "ask_user", "arguments": arguments}}, {"say": "ok"}))
    return session


async def test_a_question_waits_for_the_user_and_the_answer_is_its_result(world: World) -> None:
    session = await asking_user(world, {"question": "Which?", "options": ["red", "blue"]})
    async with working(world, SIM):
        await until(world, session, "turn.waiting")
        (ask,) = await open_asks(world, session)
        assert (ask.kind, ask.prompt["question"], ask.prompt["options"]) == (
            "question",
            "Which?",
            ["red", "blue"],
        )
        await decide(world, session, Verdict("answer", "blue"))
        await until(world, session, "turn.completed")
    (result,) = await world.said(session, ToolCompleted)
    assert (result.name, result.status, result.output) == ("ask_user", "done", "blue")
    assert await world.problems() == []


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"question": " "},
        {"question": 1},
        {"question": "?", "options": "red"},
        {"question": "?", "options": [1]},
    ],
)
async def test_a_question_that_nobody_could_answer_is_an_error_and_asks_nobody(
    world: World, arguments: object
) -> None:
    session = await asking_user(world, arguments)
    async with working(world, SIM):
        await until(world, session, "turn.completed")
    (result,) = await world.said(session, ToolCompleted)
    assert (result.status, result.output) == (
        "error",
        "The argument question is a text that is not empty, and options is a list of texts.",
    )
    assert await world.services.asks.list(world.org, session, False, None, 10) == []


async def test_an_ask_ends_by_the_rule_of_its_tool_and_others_by_the_sessions(world: World) -> None:
    rules: ToolPolicy = {"send": DetailedRule(rule="ask", timeout_seconds=5.0, on_expire="allow"), "*": "ask"}
    session = await ruled(world, Overlay(tool_policy=rules, ask_timeout_seconds=60.0))
    tools = [Recorder("send").tool, Recorder("quick").tool]
    async with working(world, model_runner(ScriptedModel(calls("send", "quick"), says("done")), tools)):
        await until(world, session, "turn.waiting")
        world.clock.advance(5)
        await world.services.upkeep.tick()
        [left] = await open_asks(world, session)
        assert left.prompt["name"] == "quick"
        world.clock.advance(55)
        await world.services.upkeep.tick()
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): "done", (1, 1): "error"}
    assert {event.by.kind for event in await world.said(session, AskDecided)} == {"timeout"}
