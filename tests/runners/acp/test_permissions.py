"""What a program asks before it runs a tool: rules decide, or somebody does, and the log knows before the program."""

import re
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
from sojourn.domain.tool_policy import ToolPolicy, ToolRule
from sojourn.runners.acp.policy import rule_for_call
from sojourn.runners.acp.scribe import ToolCall
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


async def test_a_permission_is_an_approval_and_the_program_gets_the_option_that_was_decided(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    verdicts = (
        Verdict("allow"),
        Verdict("deny", {"reason": "not now"}),
        Verdict("allow", {"option": "yes-always"}),
        Verdict("allow", always=True),
    )
    async with stage.working():
        for count, verdict in enumerate(verdicts, 1):
            await world.send(session, f"ask tool{count}\nsay on")
            await until(world, session, "turn.waiting", count)
            (ask,) = await asks(stage, session)
            assert (await world.record(session)).session.activity is Activity.WAITING
            assert (ask.prompt["title"], ask.prompt["arguments"]) == (
                f"work on tool{count}",
                {"id": f"tool{count}"},
            )
            await decide(world, session, verdict)
            await until(world, session, "turn.completed", count)
        # For good means in this session: nobody is asked about the tool any more.
        await world.send(session, "ask more")
        await until(world, session, "turn.completed", len(verdicts) + 1)
    said = await chosen(stage, session)
    assert re.findall(r"\[.*?\]", said) == ["[yes]", "[no]", "[yes-always]", "[yes-always]", "[yes]"]
    results = await world.said(session, ToolCompleted)
    assert [one.status for one in results] == ["done", "error", "done", "done", "done"]
    assert results[1].output == "The call was denied: not now"
    types = await world.types(session)
    assert types.index("ask.opened") < types.index("ask.decided") < types.index("tool.started")
    assert {told.mode for told in await world.said(session, TurnWaiting)} == {"held"}


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        ({"bash": "deny", "execute": "allow", "*": "ask"}, ("bash", "deny")),
        ({"ls -l": "allow", "execute": "deny"}, ("ls -l", "allow")),
        ({"execute": "deny", "*": "allow"}, ("execute", "deny")),
        ({"*": "allow"}, ("*", "allow")),
        ({"edit": "allow"}, ("*", "ask")),
    ],
)
def test_a_rule_is_found_by_the_tools_name_then_its_title_then_its_kind(
    policy: ToolPolicy, found: tuple[str, ToolRule]
) -> None:
    assert rule_for_call(policy, ToolCall(id="1", name="bash", title="ls -l", kind="execute")) == found


async def test_a_rule_decides_without_anybody(stage: Stage) -> None:
    world = stage.world
    session = await stage.session(policy={"work on a": "allow", "execute": "deny"})
    async with stage.working():
        await world.send(session, "ask a\nask b")
        await until(world, session, "turn.completed")
    assert await chosen(stage, session) == "[yes][no]"
    assert await world.said(session, AskOpened) == []
    assert [one.rule for one in await world.said(session, ToolDenied)] == ["execute"]


async def test_only_what_the_program_offers_can_be_answered(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "ask a")
        await until(world, session, "turn.waiting")
        for verdict in (
            Verdict("allow", {"option": "maybe"}),
            Verdict("allow", {"arguments": {}}),
            Verdict("allow", {"option": "no"}),
            Verdict("deny", {"option": "yes"}),
        ):
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
