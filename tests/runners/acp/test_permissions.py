"""What a program asks before it runs a tool: rules decide, or somebody does, and the log knows before the program."""

from collections.abc import Sequence

import pytest

from sojourn.domain.ask import Ask
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.events import (
    AskDecided,
    AskOpened,
    MessageCompleted,
    ToolCompleted,
    ToolDenied,
    ToolStarted,
    TurnWaiting,
)
from sojourn.domain.ids import SessionId
from sojourn.domain.session import Activity
from sojourn.domain.tool_policy import ToolRule
from sojourn.service.asks import Verdict
from tests.runners.acp.stage import Stage, decide
from tests.support.clock import HandClock
from tests.support.world import SOMEBODY
from tests.worker.workplace import until


async def asks(stage: Stage, session: SessionId) -> Sequence[Ask]:
    return await stage.world.services.asks.list(stage.world.org, session, True, None, 10)


async def chosen(stage: Stage, session: SessionId) -> str:
    """The options that the program was given, as it repeats them."""
    return "".join(one.text for one in await stage.world.said(session, MessageCompleted))


@pytest.mark.parametrize(
    ("verdict", "option", "status"),
    [
        (Verdict("allow"), "[yes]", "done"),
        (Verdict("allow", always=True), "[yes-always]", "done"),
        (Verdict("allow", {"option": "yes-always"}), "[yes-always]", "done"),
        (Verdict("deny", {"reason": "not now"}), "[no]", "error"),
    ],
)
async def test_a_permission_is_an_approval_and_the_program_gets_the_option_that_was_decided(
    stage: Stage, verdict: Verdict, option: str, status: str
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "ask a\nsay on")
        await until(world, session, "turn.waiting")
        (ask,) = await asks(stage, session)
        assert (await world.record(session)).session.activity is Activity.WAITING
        await decide(world, session, verdict)
        await until(world, session, "turn.completed")
        # For good means in this session: the next call of that tool is asked about only if nothing was said of it.
        await world.send(session, "ask b")
        await until(world, session, "turn.completed" if verdict.always else "turn.waiting", 2)
    assert ask.prompt["title"] == "work on a"
    assert ask.prompt["arguments"] == {"id": "a"}
    assert [one["id"] for one in ask.prompt["options"]] == ["yes", "yes-always", "no"]  # type: ignore[index, union-attr]
    assert option in await chosen(stage, session)
    first = (await world.said(session, ToolCompleted))[0]
    assert first.status == status
    if status == "error":
        assert first.output == "The call was denied: not now"
    types = await world.types(session)
    if status == "done":
        assert types.index("ask.opened") < types.index("ask.decided") < types.index("tool.started")
    (told, *_) = await world.said(session, TurnWaiting)
    assert told.mode == "held"


@pytest.mark.parametrize(
    ("named", "rule", "option"),
    [("execute", "allow", "[yes]"), ("work on a", "allow", "[yes]"), ("work", "deny", "[no]")],
)
async def test_a_rule_by_name_kind_or_title_decides_without_anybody(
    stage: Stage, named: str, rule: ToolRule, option: str
) -> None:
    world = stage.world
    session = await stage.session(policy={named: rule})
    async with stage.working():
        await world.send(session, "ask a")
        await until(world, session, "turn.completed")
    assert await chosen(stage, session) == option
    assert await world.said(session, AskOpened) == []
    assert [one.rule for one in await world.said(session, ToolDenied)] == ([named] if rule == "deny" else [])


async def test_only_what_the_program_offers_can_be_answered(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "ask a")
        await until(world, session, "turn.waiting")
        for verdict in (Verdict("allow", {"option": "maybe"}), Verdict("allow", {"arguments": {}})):
            with pytest.raises(InvalidRequest):
                await decide(world, session, verdict)
        await decide(world, session, Verdict("deny"))
        await until(world, session, "turn.completed")


async def test_an_approval_that_nobody_decides_in_time_is_decided_by_the_clock(
    stage: Stage, clock: HandClock
) -> None:
    world = stage.world
    session = await stage.session(spec={"ask_timeout_seconds": 10.0, "on_ask_expire": "allow"})
    async with stage.working():
        await world.send(session, "ask a")
        await until(world, session, "turn.waiting")
        # Less than a lease lasts.
        clock.advance(11)
        await world.services.upkeep.tick()
        await until(world, session, "turn.completed")
    (decided,) = await world.said(session, AskDecided)
    assert (decided.decision, decided.by.kind) == ("allow", "timeout")
    assert len(await world.said(session, ToolStarted)) == 1


async def test_cancelling_a_turn_answers_the_programs_question_with_none_and_keeps_the_program(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        turn = (await world.send(session, "ask a")).turn
        await until(world, session, "turn.waiting")
        await world.services.turns.cancel(world.org, session, turn, SOMEBODY)
        await world.send(session, "say next")
        await until(world, session, "turn.completed")
    (result,) = await world.said(session, ToolCompleted)
    assert result.status == "cancelled"
    assert (await world.types(session)).count("provider_session.linked") == 1
    assert stage.prompts(session) == [["ask a", "say next"]]
