"""A worker of one process and clients of another, over one Postgres. No worker polls by the clock here."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

import pytest

from sojourn.domain.feed import Preview
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.model_events import MessageCompleted
from sojourn.domain.turn_events import TurnStarted
from sojourn.ports.turns import Ready
from sojourn.worker.loop import WorkerSettings
from tests.support.databases import PostgresDatabase
from tests.support.postgres import PostgresServer
from tests.support.processes import deaf
from tests.support.world import SOMEBODY, World
from tests.worker.model import Hang, ScriptedModel, calls, says
from tests.worker.tools import Gate
from tests.worker.workplace import (
    BOUND_SECONDS,
    follow,
    model_runner,
    new_session,
    results,
    until,
    waited,
    working,
)

Stop = Callable[[World, SessionId], Awaitable[object]]


@pytest.fixture(autouse=True)
def nobody_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.worker.loop.POLL_SECONDS", 3600.0)


async def test_a_worker_claims_what_another_process_queued(here: World, there: World) -> None:
    async with working(there, model_runner(ScriptedModel(says("one"), says("two")))):
        session = await here.new_session()
        for count in (1, 2):
            await here.send(session)
            await until(here, session, "turn.completed", count)


async def interrupt(world: World, session: SessionId) -> None:
    await world.services.turns.interrupt(world.org, session, SOMEBODY)


async def end(world: World, session: SessionId) -> None:
    await world.services.sessions.end(world.org, session, "cancelled", None, SOMEBODY)


async def delete(world: World, session: SessionId) -> None:
    await world.services.sessions.delete(world.org, session, SOMEBODY)


@pytest.mark.parametrize("stop", [interrupt, end, delete])
async def test_a_hung_tool_is_stopped_through_any_process(stop: Stop, here: World, there: World) -> None:
    session = await new_session(here)
    gate = Gate()
    async with working(there, model_runner(ScriptedModel(calls("gate")), [gate.tool])):
        await here.send(session)
        await waited(gate.entered)
        await stop(here, session)
        await waited(gate.cancelled)


async def test_a_tool_stopped_from_elsewhere_is_cancelled_once_and_its_session_goes_on(
    here: World, there: World
) -> None:
    session = await new_session(here)
    gate, model = Gate(), ScriptedModel(calls("gate"), says("and on"))
    async with working(there, model_runner(model, [gate.tool])):
        await here.send(session)
        await waited(gate.entered)
        await interrupt(here, session)
        await here.send(session)
        await until(here, session, "turn.completed")
    assert await results(here, session) == {(1, 0): "cancelled"}
    assert (await here.types(session)).count("turn.cancelled") == 1
    assert await here.problems() == []


def asked_once(world: World, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a worker of that process has been told once which turns are ready."""
    told, ready = asyncio.Event(), world.services.turns.ready

    async def telling(runner: RunnerKind, limit: int) -> Sequence[Ready]:
        found = await ready(runner, limit)
        told.set()
        return found

    monkeypatch.setattr(world.services.turns, "ready", telling)
    return told


async def test_the_turn_after_an_interrupt_is_left_to_the_process_whose_step_is_stopped(
    here: World, there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.service.hub.ELSEWHERE_SECONDS", 3600.0)
    session, gate = await new_session(here), Gate(stubborn=True)
    runner = model_runner(ScriptedModel(calls("gate"), says("and on")), [gate.tool])
    async with working(there, runner, WorkerSettings("there", stop_seconds=3600.0)):
        await here.send(session)
        await waited(gate.entered)
        polled = asked_once(here, monkeypatch)
        async with working(here, runner, WorkerSettings("here")):
            # The first poll of a worker takes whatever is ready, the turn behind an interrupt too.
            await waited(polled)
            await here.send(session, delivery="interrupt")
            await waited(gate.cancelled)
            # Its step goes on all the same; whoever looks for turns now finds the next one waiting for it.
            assert [one.worker for one in await here.said(session, TurnStarted)] == ["there"]
            gate.open()
            await until(here, session, "turn.completed")
    assert [one.worker for one in await here.said(session, TurnStarted)] == ["there", "there"]


async def test_the_turn_after_an_interrupt_does_not_wait_for_a_process_that_is_gone(
    here: World, there: World
) -> None:
    session = await here.new_session()
    await there.send(session)
    await there.claim(session, "gone")
    async with working(here, model_runner(ScriptedModel(says("on"))), WorkerSettings("here")):
        await here.send(session, delivery="interrupt")
        await until(here, session, "turn.completed")
    assert [one.worker for one in await here.said(session, TurnStarted)] == ["gone", "here"]


async def test_an_answer_interrupted_from_elsewhere_keeps_the_text_heard_of_it(
    here: World, there: World
) -> None:
    session = await here.new_session()
    hang, heard = Hang("Once ", "upon"), ""
    async with working(there, model_runner(ScriptedModel(hang))):
        sent = await here.send(session)
        async with asyncio.timeout(BOUND_SECONDS), aclosing(await follow(here, session)) as items:
            while heard != "Once upon":
                item = await anext(items)
                heard += item.text if isinstance(item, Preview) else ""
        await here.services.turns.cancel(here.org, session, sent.turn, SOMEBODY)
        await waited(hang.stopped)
    [kept] = await here.said(session, MessageCompleted)
    assert (kept.text, kept.interrupted) == ("Once upon", True)


async def test_a_stop_that_was_missed_is_made_up_for_when_the_listener_is_back(
    here: World, there: World, postgres: PostgresDatabase, postgres_server: PostgresServer
) -> None:
    session = await new_session(here)
    gate = Gate()
    renewing = WorkerSettings("worker", renew_seconds=3600.0)
    async with working(there, model_runner(ScriptedModel(calls("gate")), [gate.tool]), renewing):
        await here.send(session)
        await waited(gate.entered)
        with deaf(postgres_server, postgres):
            await interrupt(here, session)
        await waited(gate.cancelled)


async def test_a_turn_that_was_queued_unheard_is_claimed_when_the_listener_is_back(
    here: World, there: World, postgres: PostgresDatabase, postgres_server: PostgresServer
) -> None:
    session = await here.new_session()
    async with working(there, model_runner(ScriptedModel(says("one")))):
        with deaf(postgres_server, postgres):
            await here.send(session)
        await until(here, session, "turn.completed")
