"""Sessions that agents start: the turn parks, the child is made and answers, and whatever becomes of it is told."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from sojourn.domain.actor import Actor
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.events import AskDecided, InputReceived, SessionCreated, ToolCompleted, TurnCancelled
from sojourn.domain.ids import SessionId
from sojourn.domain.kin import Kin, Parent, SubSessions
from sojourn.domain.session import Activity, SessionStatus
from sojourn.service.asks import Verdict
from sojourn.service.forks import NewFork
from sojourn.service.sessions import NewSession
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import SOMEBODY, World, open_world
from tests.worker.family import (
    children,
    do_all,
    family,
    is_waiting,
    lead,
    make_agents,
    open_asks,
    run,
    script,
    work_alone,
)
from tests.worker.workplace import results, until

ASK = {"call": {"name": "ask_user", "arguments": {"question": "Which one?"}}}


async def outputs(world: World, session: SessionId) -> list[tuple[str, str]]:
    """By call and index."""
    tools = sorted(await world.said(session, ToolCompleted), key=lambda tool: (tool.call, tool.index))
    return [(tool.status, tool.output) for tool in tools]


async def test_an_agent_starts_a_session_and_reads_its_answer(world: World) -> None:
    leader = await lead(world, run(script({"say": "blue"})), {"say": "done"})
    async with family(world):
        await until(world, leader, "turn.completed")
    (child,) = await children(world, leader)
    (turn,) = await world.services.turns.list(world.org, leader, None, 10)
    (asked,) = await world.services.asks.list(world.org, leader, False, None, 10)
    assert asked.prompt["session"] == str(child.session.id)
    assert child.session.kin == Kin(ancestors=(leader,), turn=turn.id, ask=asked.id)
    (created,) = await world.said(child.session.id, SessionCreated)
    assert created.parent == Parent(session=leader, turn=turn.id, ask=asked.id)
    (received,) = await world.said(child.session.id, InputReceived)
    assert received.by == Actor("agent")
    (decided,) = await world.said(leader, AskDecided)
    assert decided.by == Actor("agent")
    assert decided.answer == {
        "session": str(child.session.id),
        "status": "completed",
        "text": "blue",
        "error": None,
        "usage": {"input_tokens": 2, "output_tokens": 1, "cost_usd": None},
    }
    assert await outputs(world, leader) == [("done", "blue")]
    assert await world.problems() == []


async def test_several_sessions_of_one_answer_run_side_by_side(world: World) -> None:
    leader = await lead(world, run(*(script({"say": f"n{n}"}) for n in range(5))), {"say": "done"})
    await work_alone(world, leader)
    await do_all(world)
    helpers = [record.session for record in await children(world, leader)]
    assert [one.activity for one in helpers] == [Activity.QUEUED] * 5
    await work_alone(world, *(one.id for one in reversed(helpers)))
    await do_all(world)
    await work_alone(world, leader)
    assert await outputs(world, leader) == [("done", f"n{n}") for n in range(5)]
    assert (await world.record(leader)).session.kin.children == 5
    assert await world.problems() == []


async def test_while_a_child_waits_for_somebody_its_parent_waits_with_it(world: World) -> None:
    leader = await lead(world, run(script(ASK, {"say": "left"})), {"say": "done"})
    async with family(world):
        await until(world, leader, "turn.waiting")
        (ask,) = await open_asks(world, leader)
        (child,) = await children_when_made(world, leader)
        assert ask.prompt["session"] == str(child)
        await until(world, child, "turn.waiting")
        assert await is_waiting(world, leader)
        # A session asks the one that it is about, and nobody else has an answer for it.
        with pytest.raises(InvalidRequest):
            await world.services.asks.decide(world.org, leader, ask.id, Verdict("answer", "left"), SOMEBODY)
        (question,) = await open_asks(world, child)
        await world.services.asks.decide(world.org, child, question.id, Verdict("answer", "left"), SOMEBODY)
        await until(world, leader, "turn.completed")
    assert await outputs(world, leader) == [("done", "left")]
    assert await world.problems() == []


async def children_when_made(world: World, parent: SessionId) -> list[SessionId]:
    await do_all(world)
    return [record.session.id for record in await children(world, parent)]


async def end(world: World, child: SessionId) -> None:
    await world.services.sessions.end(world.org, child, "completed", None, SOMEBODY)


async def cancel(world: World, child: SessionId) -> None:
    (turn,) = await world.services.turns.list(world.org, child, None, 10)
    await world.services.turns.cancel(world.org, child, turn.id, SOMEBODY)


async def delete(world: World, child: SessionId) -> None:
    await world.services.sessions.delete(world.org, child, SOMEBODY)


@pytest.mark.parametrize(
    ("act", "result"),
    [
        (end, ("cancelled", "The session was cancelled.")),
        (cancel, ("cancelled", "The session was cancelled.")),
        (delete, ("error", "The session was deleted.")),
    ],
)
async def test_what_becomes_of_a_child_is_its_parents_result_and_the_parent_goes_on(
    world: World, act: Callable[[World, SessionId], Awaitable[None]], result: tuple[str, str]
) -> None:
    leader = await lead(world, run(script(ASK)), {"say": "done"})
    async with family(world):
        await until(world, leader, "turn.waiting")
        (child,) = await children_when_made(world, leader)
        await until(world, child, "turn.waiting")
        await act(world, child)
        await until(world, leader, "turn.completed")
    assert await outputs(world, leader) == [result]
    assert await world.problems() == []


async def test_a_child_that_fails_is_an_error_that_says_why(world: World) -> None:
    leader = await lead(world, run(script({"error": "fatal"})), {"say": "done"})
    async with family(world):
        await until(world, leader, "turn.completed")
    assert await outputs(world, leader) == [("error", "The session failed: The script says: fatal.")]


async def test_a_session_that_may_not_be_started_is_an_error_and_is_not_made(world: World) -> None:
    leader = await lead(
        world, run("hello", agent="nobody"), run("hello", agent="leader"), {"say": "done"},
        limits=SubSessions(agents=("nobody", "helper")),
    )  # fmt: skip
    async with family(world):
        await until(world, leader, "turn.completed")
    assert [status for status, _ in await outputs(world, leader)] == ["error", "error"]
    first, second = (output for _, output in await outputs(world, leader))
    assert "nobody" in first
    assert second == "The session was not started: The agent leader may not start sessions of leader."
    assert await children(world, leader) == []
    decided = await world.said(leader, AskDecided)
    assert [one.by for one in decided] == [Actor("policy")] * 2
    assert await world.problems() == []


async def test_sessions_are_started_no_deeper_and_no_more_often_than_the_agent_allows(world: World) -> None:
    deep = script(run("hello"), {"say": "deep"})
    leader = await lead(
        world, run(deep, "two"), run("three"), {"say": "done"},
        limits=SubSessions(max_depth=1, max_children=2),
    )  # fmt: skip
    async with family(world):
        await until(world, leader, "turn.completed")
    assert await outputs(world, leader) == [
        ("done", "deep"),
        ("done", "echo: two"),
        ("error", "The session was not started: No session may start more than 2 others."),
    ]
    first, _ = await children(world, leader)
    assert await outputs(world, first.session.id) == [
        ("error", "The session was not started: Sessions below this one would be deeper than 1.")
    ]


async def interrupt(world: World, leader: SessionId) -> None:
    await world.send(leader, script({"say": "rather this"}), "interrupt")


async def steer(world: World, leader: SessionId) -> None:
    await world.send(leader, "never mind", "steer")


async def deny(world: World, leader: SessionId) -> None:
    (ask,) = await open_asks(world, leader)
    await world.services.asks.decide(world.org, leader, ask.id, Verdict("deny"), SOMEBODY)


@pytest.mark.parametrize("act", [interrupt, steer, deny, cancel])
async def test_nobody_who_is_waited_for_goes_on_when_the_waiting_is_over(
    world: World, act: Callable[[World, SessionId], Awaitable[None]]
) -> None:
    """Down to the grandchildren; the sessions stay open, and what others had sent them is done."""
    leader = await lead(world, run(script(run(script(ASK)), {"say": "never"})))
    async with family(world):
        await until(world, leader, "turn.waiting")
        (child,) = await children_when_made(world, leader)
        await until(world, child, "turn.waiting")
        (grandchild,) = await children_when_made(world, child)
        await until(world, grandchild, "turn.waiting")
        await world.send(child, script({"say": "for somebody else"}))
        await act(world, leader)
        for session in (child, grandchild):
            await until(world, session, "turn.cancelled")
        await until(world, child, "turn.completed")
        await until(world, leader, "turn.completed" if act is not cancel else "turn.cancelled")
    for session in (child, grandchild):
        (stopped,) = await world.said(session, TurnCancelled)
        assert stopped.by == SOMEBODY
        assert (await world.record(session)).session.status is SessionStatus.OPEN
    assert (await results(world, leader)) == {(1, 0): "cancelled"}
    assert await world.problems() == []


@pytest.mark.parametrize("is_deleted", [False, True])
async def test_the_end_of_a_session_ends_its_children_and_they_stay(world: World, is_deleted: bool) -> None:
    leader = await lead(world, run(script({"say": "fine"})), run(script(run(script(ASK)))))
    async with family(world):
        await until(world, leader, "turn.waiting", 2)
        idle, busy = await children_when_made(world, leader)
        await until(world, busy, "turn.waiting")
        (grandchild,) = await children_when_made(world, busy)
        await until(world, grandchild, "turn.waiting")
        if is_deleted:
            await world.services.sessions.delete(world.org, leader, SOMEBODY)
        else:
            await world.services.sessions.end(world.org, leader, "completed", None, SOMEBODY)
        for session in (idle, busy, grandchild):
            await until(world, session, "session.ended")
    records = [await world.record(session) for session in (idle, busy, grandchild)]
    status = SessionStatus.CANCELLED if is_deleted else SessionStatus.COMPLETED
    assert [one.session.status for one in records] == [status] * 3
    assert [one.session.kin.parent for one in records] == [leader, leader, busy]
    assert await world.problems() == []


async def test_a_human_may_talk_to_a_child_that_somebody_waits_for(world: World) -> None:
    leader = await lead(world, run(script(ASK, {"say": "the first"})), {"say": "done"})
    async with family(world):
        await until(world, leader, "turn.waiting")
        (child,) = await children_when_made(world, leader)
        await until(world, child, "turn.waiting")
        await world.send(child, script({"say": "rather this"}), "interrupt")
        await until(world, leader, "turn.completed")
    # An interrupt takes the place of what it stops, for whoever waits too.
    assert await outputs(world, leader) == [("done", "rather this")]
    assert await world.problems() == []


async def test_a_fork_of_a_waiting_parent_has_no_child_and_stops_none(world: World) -> None:
    leader = await lead(world, run(script(ASK, {"say": "mine"})), {"say": "done"})
    async with family(world):
        await until(world, leader, "turn.waiting")
        (child,) = await children_when_made(world, leader)
        await until(world, child, "turn.waiting")
        made = await world.services.forks.fork(world.org, leader, NewFork(), SOMEBODY)
        fork = made.value.session.id
        await do_all(world)
        assert await is_waiting(world, child)
        forked_child = await world.services.forks.fork(world.org, child, NewFork(), SOMEBODY)
        assert forked_child.value.session.kin == Kin()
        (question,) = await open_asks(world, child)
        await world.services.asks.decide(world.org, child, question.id, Verdict("answer", "x"), SOMEBODY)
        await until(world, leader, "turn.completed")
    assert await outputs(world, leader) == [("done", "mine")]
    assert [status for status, _ in await outputs(world, fork)] == ["cancelled"]
    assert await children(world, fork) == []
    assert (await world.record(fork)).session.kin == Kin()
    assert await world.problems() == []


async def test_whatever_is_lost_in_between_is_done_by_the_next_process_and_once(
    database: Database, clock: HandClock
) -> None:
    """A process for each step; the errands that a step leaves are done by two others at the same time."""
    async with open_world(database, clock) as world:
        leader = await lead(world, run(script({"say": "blue"}), script({"say": "red"})), {"say": "done"})
        await work_alone(world, leader)
    for _ in range(6):
        async with open_world(database, clock) as world:
            await world.services.upkeep.start()
            errands = world.services.errands
            await asyncio.gather(errands.do_due(), errands.do_due())
        async with open_world(database, clock) as world:
            ready = await world.services.turns.ready("model", 10)
            await work_alone(world, *(one.session for one in ready))
    async with open_world(database, clock) as world:
        assert await outputs(world, leader) == [("done", "blue"), ("done", "red")]
        assert len(await children(world, leader)) == 2
        assert len(await world.said(leader, AskDecided)) == 2
        assert (await world.record(leader)).session.activity is Activity.IDLE
        assert await world.store.reads.due_errands(clock.now(), 10) == []
        assert await world.problems() == []


async def test_a_child_is_not_made_for_a_turn_that_was_cancelled_before(world: World) -> None:
    leader = await lead(world, run("hello"))
    await work_alone(world, leader)
    await cancel(world, leader)
    await do_all(world)
    assert await children(world, leader) == []
    assert await world.problems() == []


async def test_a_session_of_the_wanted_id_that_is_there_already_is_left_alone(world: World) -> None:
    leader = await lead(world, run("hello"), {"say": "done"})
    await work_alone(world, leader)
    (ask,) = await open_asks(world, leader)
    await make_agents(world)
    other = SessionId(UUID(str(ask.prompt["session"])))
    await world.new_session(NewSession(id=other))
    await do_all(world)
    await work_alone(world, leader)
    ((status, output),) = await outputs(world, leader)
    assert (status, "is there already" in output) == ("error", True)
    assert (await world.record(other)).session.kin == Kin()


async def test_what_somebody_else_has_sent_a_child_goes_on_and_what_the_parent_wanted_is_never_done(
    world: World,
) -> None:
    leader = await lead(world, run("for the parent"))
    await work_alone(world, leader)
    (child,) = await children_when_made(world, leader)
    mine = await world.send(child, "for me")
    turn = await world.claim(child)
    assert turn.turn == mine.turn
    await cancel(world, leader)
    await do_all(world)
    left = (await world.conversation(child)).progress.unfinished()
    await world.services.turns.settle(turn, left.closing("cancelled", ""))
    inputs = await world.services.inputs.list(world.org, child, None, 0, 10)
    assert [one.status for one in inputs] == ["withdrawn", "delivered"]
    assert (await world.record(child)).session.activity is Activity.IDLE
    assert await world.problems() == []


async def test_a_turn_behind_the_one_that_the_parent_wanted_is_not_stopped_with_the_waiting(
    world: World,
) -> None:
    leader = await lead(world, run(script({"say": "done"})))
    await work_alone(world, leader)
    (child,) = await children_when_made(world, leader)
    await world.claim(child)
    await world.send(child, "for me")
    await world.services.turns.interrupt(world.org, child, SOMEBODY)
    turn = await world.claim(child)
    await cancel(world, leader)
    await do_all(world)
    left = (await world.conversation(child)).progress.unfinished()
    await world.services.turns.settle(turn, left.closing("cancelled", ""))
    assert await world.problems() == []


async def test_a_child_is_ended_with_its_parent_whichever_process_s_clock_is_ahead(world: World) -> None:
    leader = await lead(world, run(script(ASK)))
    await work_alone(world, leader)
    world.clock.advance(5)
    await do_all(world)
    world.clock.advance(-5)
    (child,) = await children(world, leader)
    await end(world, leader)
    await do_all(world)
    assert (await world.record(child.session.id)).session.status is SessionStatus.COMPLETED


async def test_the_children_that_a_session_starts_after_it_was_reopened_are_not_ended_with_the_former_ones(
    world: World,
) -> None:
    leader = await lead(world, run(script(ASK)))
    await work_alone(world, leader)
    await do_all(world)
    (former,) = await children(world, leader)
    await end(world, leader)
    await world.send(leader, script(run(script(ASK))))
    await work_alone(world, leader)
    await do_all(world)
    records = await children(world, leader)
    assert {one.session.id: one.session.status for one in records} == {
        former.session.id: SessionStatus.COMPLETED,
        **{one.session.id: SessionStatus.OPEN for one in records if one.session.id != former.session.id},
    }
    assert len(records) == 2
    assert await world.problems() == []
