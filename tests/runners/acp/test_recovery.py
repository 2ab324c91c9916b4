"""A program or its worker is lost: the program's own session is gone on with, and nothing is silently done again."""

import os
import signal
from collections.abc import Sequence

import pytest

from sojourn.domain.events import (
    MessageCompleted,
    ProviderSessionLinked,
    ToolCompleted,
    ToolStarted,
    TurnFailed,
    TurnReclaimed,
    TurnRetried,
    TurnWaiting,
)
from sojourn.domain.ids import SessionId
from sojourn.service.asks import Verdict
from sojourn.service.forks import NewFork
from tests.runners.acp.stage import Stage, decide
from tests.support.clock import HandClock
from tests.support.programs import working_in
from tests.support.world import SOMEBODY
from tests.worker.workplace import until


def kill_program(stage: Stage, session: SessionId) -> None:
    (pid,) = working_in(stage.place(session).resolve())
    os.kill(pid, signal.SIGKILL)


async def linked(stage: Stage, session: SessionId) -> Sequence[ProviderSessionLinked]:
    return await stage.world.said(session, ProviderSessionLinked)


async def test_a_program_that_is_killed_in_a_turn_is_started_again_and_goes_on_with_its_session(
    stage: Stage, clock: HandClock
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "run a\nstart b\nwait")
        await until(world, session, "tool.started", 2)
        kill_program(stage, session)
        await until(world, session, "turn.retried")
        clock.advance(10)
        await until(world, session, "turn.completed")
    first, second = await linked(stage, session)
    assert (first.provider_session, second.reason) == (second.provider_session, None)
    (retried,) = await world.said(session, TurnRetried)
    assert "ended with status" in retried.error
    assert [(one.id, one.status) for one in await world.said(session, ToolCompleted)] == [
        ("a", "done"),
        ("b", "unknown"),
    ]
    ((asked, again),) = stage.prompts(session)
    assert asked == "run a\nstart b\nwait"
    # It is told what happened instead of being asked the same again.
    assert again.startswith("You were interrupted")
    assert 'work {"id": "a"}: it is done' in again
    assert 'work {"id": "b"}: its outcome is not known' in again


async def test_a_prompt_of_which_no_tool_was_started_is_put_again(stage: Stage, clock: HandClock) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "say half\ndie")
        await until(world, session, "turn.retried")
        clock.advance(10)
        await until(world, session, "turn.retried", 2)
    assert stage.prompts(session) == [["say half\ndie", "say half\ndie"]]
    assert "it hurts" in (await world.said(session, TurnRetried))[0].error
    assert await world.said(session, MessageCompleted) == []


async def test_a_worker_that_stops_ends_its_program_and_the_next_one_goes_on(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "start a\nwait")
        await until(world, session, "tool.started")
    assert working_in(stage.place(session).resolve()) == []
    async with stage.working():
        await until(world, session, "turn.completed")
    (reclaimed,) = await world.said(session, TurnReclaimed)
    assert reclaimed.cause == "worker_stopped"
    assert len(await linked(stage, session)) == 2
    assert len(stage.prompts(session)) == 1


async def test_a_question_outlives_its_program_and_costs_nothing_until_it_is_decided(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "ask a\nsay on")
        await until(world, session, "turn.waiting")
    async with stage.working():
        await until(world, session, "turn.waiting", 2)
    # Whoever claimed it saw that somebody is still to decide, and started nothing.
    assert len(await linked(stage, session)) == 1
    turn = (await world.store.reads.list_turns(world.org, session, None, 1))[0]
    assert (turn.status, turn.parked, turn.open_asks) == ("waiting", True, 1)
    async with stage.working():
        await decide(world, session, Verdict("allow"))
        await until(world, session, "turn.completed")
    ((_, told),) = stage.prompts(session)
    assert "It was allowed, and has not been carried out yet." in told
    assert [one.status for one in await world.said(session, ToolCompleted)] == ["cancelled"]


async def test_a_question_that_nobody_decides_for_long_is_waited_for_without_the_program(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session(config={"held_seconds": 0.1})
    async with stage.working():
        await world.send(session, "ask a\nsay on")
        await until(world, session, "turn.waiting", 2)
        assert [told.mode for told in await world.said(session, TurnWaiting)] == ["held", "parked"]
        await decide(world, session, Verdict("deny"))
        await until(world, session, "turn.completed")
    first, second = await linked(stage, session)
    assert first.provider_session == second.provider_session
    assert [one.status for one in await world.said(session, ToolCompleted)] == ["error"]


async def test_what_was_allowed_while_the_program_was_away_is_not_asked_again(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "ask a")
        await until(world, session, "turn.waiting")
    await decide(world, session, Verdict("allow"))
    async with stage.working():
        await until(world, session, "turn.completed")
        # The scripted agent reads no prose: the message that it is told to go on with says nothing to it.
        await world.send(session, "ask a")
        await until(world, session, "turn.waiting", 2)
    assert await world.said(session, ToolStarted) == []


async def spoken_to_again(stage: Stage, session: SessionId, first: str, *, is_strict: bool) -> None:
    """Two turns of two programs, the second of which finds no session to go on with."""
    world = stage.world
    async with stage.working():
        await world.send(session, first)
        await until(world, session, "turn.completed")
    async with stage.working():
        await world.send(session, "say two")
        if is_strict:
            await until(world, session, "turn.failed")
        else:
            await until(world, session, "turn.completed", 2)


@pytest.mark.parametrize("resume", ["replay", "strict"])
async def test_a_session_that_the_agent_cannot_load_is_told_to_a_new_one_or_fails_the_turn(
    stage: Stage, resume: str
) -> None:
    world = stage.world
    session = await stage.session("forgetful", config={"resume": resume})
    await spoken_to_again(stage, session, "say one\nrun a", is_strict=resume == "strict")
    if resume == "strict":
        (failed,) = await world.said(session, TurnFailed)
        assert "does not offer to load a session" in failed.error
        assert "resume: replay" in failed.error
        return
    _, second = await linked(stage, session)
    assert second.reason is not None
    assert "does not offer to load a session" in second.reason
    told = stage.prompts(session)[1][0]
    assert told.startswith("This session began before you were started.")
    assert "User: say one" in told
    assert 'You called work: {"id": "a"}' in told
    assert told.endswith("say two")


async def test_a_session_that_the_agent_has_lost_is_told_to_a_new_one_and_the_log_says_why(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "say one")
        await until(world, session, "turn.completed")
    for path in stage.place(session).parent.glob("*.jsonl"):
        path.unlink()
    async with stage.working():
        await world.send(session, "say two")
        await until(world, session, "turn.completed", 2)
    _, second = await linked(stage, session)
    assert second.reason is not None
    assert "could not go on with its session" in second.reason


@pytest.mark.parametrize("resume", ["replay", "strict"])
async def test_a_program_that_ends_when_it_is_to_load_its_session_is_started_again_without_it(
    stage: Stage, resume: str
) -> None:
    world = stage.world
    session = await stage.session("fragile", config={"resume": resume})
    await spoken_to_again(stage, session, "say one", is_strict=resume == "strict")
    reasons = [one.reason for one in await linked(stage, session)][1:]
    reasons += [one.error for one in await world.said(session, TurnFailed)]
    assert "ended when it was to load its session" in (reasons[0] or "")


async def test_a_fork_has_a_session_and_a_directory_of_its_own_and_is_told_the_past(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "write a.txt shared\nsay one")
        await until(world, session, "turn.completed")
        fork = (await world.services.forks.fork(world.org, session, NewFork(), SOMEBODY)).value.session.id
        await world.send(fork, "read a.txt")
        await until(world, fork, "turn.completed", 2)
    assert (await linked(stage, fork))[-1].provider_session != (await linked(stage, session))[
        0
    ].provider_session
    assert (await world.said(fork, MessageCompleted))[-1].text.startswith("one shared")
    assert len(stage.prompts(session)[0]) == 1


async def test_after_a_rewind_a_new_session_of_the_program_is_told_what_still_stands(stage: Stage) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working():
        await world.send(session, "say kept")
        await until(world, session, "turn.completed")
        to = (await world.record(session)).session.next_seq - 1
        await world.send(session, "say taken back")
        await until(world, session, "turn.completed", 2)
        await world.services.rewinds.rewind(world.org, session, to, SOMEBODY)
        await world.send(session, "say on")
        await until(world, session, "turn.completed", 3)
    first, second = await linked(stage, session)
    assert first.provider_session != second.provider_session
    (told,) = stage.prompts(session)[1]
    assert "say kept" in told
    assert "taken back" not in told


async def test_a_program_that_does_not_stop_in_time_is_killed_and_the_next_turn_has_a_new_one(
    stage: Stage,
) -> None:
    world = stage.world
    session = await stage.session("stubborn")
    async with stage.working():
        turn = (await world.send(session, "say hello\nwait")).turn
        await until(world, session, "model.called")
        (pid,) = working_in(stage.place(session).resolve())
        await world.services.turns.cancel(world.org, session, turn, SOMEBODY)
        await world.send(session, "say next")
        await until(world, session, "turn.completed")
        assert pid not in working_in(stage.place(session).resolve())
    assert len(await linked(stage, session)) == 2


async def test_a_worker_that_lost_its_lease_ends_its_program(stage: Stage, clock: HandClock) -> None:
    world = stage.world
    session = await stage.session()
    async with stage.working() as worker:
        await world.send(session, "start a\nwait")
        await until(world, session, "tool.started")
        (pid,) = working_in(stage.place(session).resolve())
        clock.advance(16)
        await world.services.upkeep.tick()
        await until(world, session, "turn.completed")
        assert pid not in working_in(stage.place(session).resolve())
    del worker
    assert len(await world.said(session, TurnReclaimed)) == 1
