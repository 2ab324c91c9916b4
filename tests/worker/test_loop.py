"""The worker's own business: hints, room, stops, and what must not end it."""

import asyncio
from collections.abc import Sequence

import pytest

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.events import TurnReclaimed, TurnStarted
from sojourn.domain.kinds import RunnerKind
from sojourn.ports.turns import Ready
from sojourn.runners.model.client import TransientModelError
from sojourn.worker import loop
from sojourn.worker.loop import WorkerSettings
from tests.support.world import SOMEBODY, World
from tests.worker.late import LateAnswers
from tests.worker.model import Hang, ScriptedModel, calls, fails, says
from tests.worker.tools import Gate
from tests.worker.workplace import BOUND_SECONDS, model_runner, new_session, until, waited, working


@pytest.fixture
def never_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its first poll a worker learns of nothing but by hints."""
    monkeypatch.setattr(loop, "POLL_SECONDS", 3600.0)


@pytest.mark.usefixtures("never_polls")
async def test_a_hint_that_comes_while_the_last_turn_is_being_settled_is_not_lost(world: World) -> None:
    session = await world.new_session()
    turns = LateAnswers(world, "settle")
    async with working(world, model_runner(ScriptedModel(says("hello"))), turns=turns):
        await world.send(session)
        await world.send(session)
        await waited(turns.done)
        assert (await world.types(session))[-1] == "turn.queued"
        turns.arrive.set()
        await until(world, session, "turn.completed", 2)


async def test_a_worker_finds_turns_that_no_hint_told_it_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.01)
    session = await world.new_session()
    async with working(world, model_runner(ScriptedModel(says("hello"))), hears=False):
        await world.send(session)
        await until(world, session, "turn.completed")


async def test_no_more_turns_run_at_once_than_there_is_room_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.01)
    gate = Gate()
    runner = model_runner(ScriptedModel(*[calls("gate")] * 2, says("done")), [gate.tool])
    sessions = [await new_session(world) for _ in range(5)]
    for session in sessions:
        await world.send(session)
    async with working(world, runner, WorkerSettings("worker", capacity=2)):
        async with asyncio.timeout(BOUND_SECONDS):
            await gate.entered_by(2)
        # Only a turn's end makes room: the others end one by one, and all of them do.
        gate.open()
        for session in sessions:
            await until(world, session, "turn.completed")
    assert most_at_once(world) == 2


def most_at_once(world: World) -> int:
    at_once = most = 0
    for event in world.published:
        at_once += (event.type == "turn.started") - (event.type == "turn.completed")
        most = max(most, at_once)
    return most


async def test_a_session_has_one_turn_at_a_time_and_they_come_in_order(world: World) -> None:
    session = await world.new_session()
    model = ScriptedModel(says("hello"))
    async with working(world, model_runner(model)):
        for number in range(10):
            await world.send(session, str(number))
        await until(world, session, "turn.completed", 10)
    assert most_at_once(world) == 1
    assert [request.messages[-1].text for request in model.requests] == [str(number) for number in range(10)]


async def test_a_turn_stopped_while_its_claim_is_on_its_way_starts_no_effect_and_nobody_is_alarmed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await world.new_session()
    sent = await world.send(session)
    model = ScriptedModel(says("hello"))
    turns = LateAnswers(world, "claim")
    async with working(world, model_runner(model), turns=turns):
        await waited(turns.done)
        await world.services.turns.cancel(world.org, session, sent.turn, SOMEBODY)
        turns.arrive.set()
        await world.send(session, "next")
        await until(world, session, "turn.completed")
    assert [request.messages[-1].text for request in model.requests] == ["next"]
    assert caplog.records == []


@pytest.mark.usefixtures("never_polls")
async def test_a_claim_that_hears_late_of_its_predecessor_s_end_is_not_lost(world: World) -> None:
    session = await world.new_session()
    sent = await world.send(session)
    turns = LateAnswers(world, "claim")
    async with working(world, model_runner(ScriptedModel(says("hello"))), turns=turns) as worker:
        await waited(turns.done)
        # What is said of an earlier claim of the turn reaches the worker after it has claimed it again.
        worker.stop_turn(Ready(world.org, session), sent.turn)
        turns.arrive.set()
        await until(world, session, "turn.completed")
    assert [one.attempt for one in await world.said(session, TurnStarted)] == [1, 2]


async def test_a_worker_stopped_in_the_middle_of_a_retry_s_write_stops_in_peace(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    turns = LateAnswers(world, "retry")
    model = ScriptedModel(fails(TransientModelError("busy", retry_after_seconds=0.0)))
    async with working(world, model_runner(model), turns=turns):
        await waited(turns.done)
    assert await world.said(session, TurnReclaimed) == []
    assert (await world.types(session))[-1] == "turn.retried"


async def test_a_turn_whose_claim_is_on_its_way_at_a_stop_is_given_back_too(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    turns, model = LateAnswers(world, "claim"), ScriptedModel(says("hello"))
    async with working(world, model_runner(model), turns=turns):
        await waited(turns.done)
        asyncio.get_running_loop().call_soon(turns.arrive.set)
    assert [one.cause for one in await world.said(session, TurnReclaimed)] == ["worker_stopped"]
    assert model.requests == []


async def test_a_tool_that_will_not_stop_does_not_hold_up_the_end_and_keeps_its_lease(world: World) -> None:
    stubborn, other = await new_session(world), await world.new_session()
    gate = Gate(stubborn=True)
    await world.send(stubborn)
    settings = WorkerSettings("worker", grace_seconds=0.05)
    hang = Hang()
    async with working(world, model_runner(ScriptedModel(calls("gate"), hang), [gate.tool]), settings):
        await waited(gate.entered)
        await world.send(other)
        await waited(hang.begun)
    assert await world.said(stubborn, TurnReclaimed) == []
    assert len(await world.said(other, TurnReclaimed)) == 1
    gate.open()


class Unreadable(LateAnswers):
    """The first questions after ready turns fail, each in another way."""

    failures: Sequence[Exception] = (StoreUnavailable(), ConnectionResetError("a driver's own"))

    async def ready(self, runner: RunnerKind, limit: int) -> Sequence[Ready]:
        if self.failures:
            first, *self.failures = self.failures
            raise first
        return await super().ready(runner, limit)


async def test_a_failed_question_after_ready_turns_does_not_end_the_worker(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.01)
    caplog.set_level("CRITICAL", "sojourn.worker.loop")
    session = await world.new_session()
    await world.send(session)
    turns = Unreadable(world, "claim")
    turns.arrive.set()
    async with working(world, model_runner(ScriptedModel(says("hello"))), turns=turns, hears=False):
        await until(world, session, "turn.completed")
    assert turns.failures == []


@pytest.mark.usefixtures("never_polls")
async def test_a_backlog_longer_than_a_page_is_worked_off_without_waiting_for_the_next_poll(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "POLL_LIMIT", 2)
    sessions = [await world.new_session() for _ in range(5)]
    for session in sessions:
        await world.send(session)
    async with working(world, model_runner(ScriptedModel(says("hello"))), hears=False):
        for session in sessions:
            await until(world, session, "turn.completed")
