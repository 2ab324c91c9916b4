"""Turns that change hands: a late write changes nothing, and nobody starts what is somebody else's."""

import asyncio
from collections.abc import Sequence

import pytest

from sojourn.domain.errors import LeaseLost, StoreUnavailable
from sojourn.domain.events import MessageCompleted, TurnFailed, TurnReclaimed, TurnStarted
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.claims import LEASE_TTL_SECONDS
from sojourn.worker.loop import WorkerSettings
from tests.support.databases import Database, SqliteDatabase
from tests.support.world import World
from tests.worker.late import LateAnswers
from tests.worker.model import Hang, ScriptedModel, Slow, calls, says
from tests.worker.tools import Gate, prints
from tests.worker.workplace import execution, model_runner, new_session, results, until, waited, working


@pytest.fixture
def database(sqlite: SqliteDatabase) -> Database:
    """Leases that lapse by the test's clock; on Postgres they lapse by the database's own."""
    return sqlite


async def lapse(world: World) -> None:
    world.clock.advance(LEASE_TTL_SECONDS + 1)
    await world.services.upkeep.tick()


async def execute(world: World, turn: ClaimedTurn, model: ScriptedModel, *gates: Gate) -> object:
    runner = model_runner(model, [gate.tool for gate in gates])
    return await execution(world, runner).execute(turn)


async def test_a_worker_that_lost_its_lease_drops_its_work_and_starts_no_further_effect(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await new_session(world)
    await world.send(session)
    gate, model = Gate(), ScriptedModel(calls("gate"), says("never asked"))
    work = asyncio.create_task(execute(world, await world.claim(session, "sleeper"), model, gate))
    await waited(gate.entered)
    await lapse(world)
    successor = ScriptedModel(says("taken over"))
    assert await execute(world, await world.claim(session, "successor"), successor, gate) is not None
    before = await world.log(session)
    gate.open()
    assert await work is None
    assert await world.log(session) == before
    assert (len(model.requests), gate.runs) == (1, 1)
    assert await results(world, session) == {(1, 0): "unknown"}
    assert [record.levelname for record in caplog.records] == []


async def test_a_worker_that_wakes_after_its_turn_was_taken_calls_no_model(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    asleep = await world.claim(session, "sleeper")
    await lapse(world)
    model = ScriptedModel(says("too late"))
    assert await execute(world, asleep, model) is None
    successor = await world.claim(session, "successor")
    assert await execute(world, asleep, model) is None
    await execute(world, successor, ScriptedModel(says("in time")))
    assert await execute(world, asleep, model) is None
    assert model.requests == []
    assert [message.text for message in await world.said(session, MessageCompleted)] == ["in time"]


async def test_the_late_answer_of_a_model_is_not_written_into_another_worker_s_turn(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    slow = Slow("too late")
    work = asyncio.create_task(execute(world, await world.claim(session, "sleeper"), ScriptedModel(slow)))
    await waited(slow.asked)
    await lapse(world)
    await execute(world, await world.claim(session, "successor"), ScriptedModel(says("in time")))
    slow.answer.set()
    assert await work is None
    assert [message.text for message in await world.said(session, MessageCompleted)] == ["in time"]


async def test_every_late_call_of_the_protocol_is_refused(world: World) -> None:
    turn = await world.claimed()
    await lapse(world)
    await world.claim(turn.session, "successor")
    await assert_refused(world, turn)


async def test_a_claim_that_gave_its_turn_up_for_a_retry_can_write_no_more(world: World) -> None:
    turn = await world.claimed()
    await world.services.turns.retry(turn, (), "busy", 0)
    await assert_refused(world, turn)
    assert (await world.types(turn.session))[-1] == "turn.retried"


async def assert_refused(world: World, turn: ClaimedTurn) -> None:
    head = (await world.record(turn.session)).session.next_seq
    turns = world.services.turns
    for late in (
        turns.append(turn, ()),
        turns.settle(turn, ()),
        turns.settle(turn, (), "error", "late"),
        turns.retry(turn, (), "late", 0),
        turns.wait(turn, (), (), "parked"),
        turns.give_back(turn),
        turns.write_file(turn, "late.txt", b"late"),
    ):
        with pytest.raises(LeaseLost):
            await late
    assert await turns.renew([turn], "worker") == [turn]
    assert (await world.record(turn.session)).session.next_seq == head
    assert await turns.list_files(turn) == []


async def test_a_lease_is_taken_away_after_its_ttl_without_a_renewal_and_not_before(world: World) -> None:
    turn = await world.claimed()
    for _ in range(4):
        world.clock.advance(LEASE_TTL_SECONDS / 2)
        assert await world.services.turns.renew([turn], "worker") == []
        await world.services.upkeep.tick()
    assert await world.said(turn.session, TurnReclaimed) == []
    await lapse(world)
    [reclaimed] = await world.said(turn.session, TurnReclaimed)
    assert (reclaimed.worker, reclaimed.cause) == ("worker", "lease_expired")


async def test_three_claims_without_progress_end_a_turn_as_no_progress(world: World) -> None:
    session = await world.new_session()
    await world.send(session, "kills its worker")
    await world.send(session, "harmless")
    for _ in range(3):
        await world.claim(session)
        await lapse(world)
    [failed] = await world.said(session, TurnFailed)
    assert failed.reason == "no_progress"
    types = await world.types(session)
    # Each attempt's message is void: by its successor, and the last by the end itself.
    assert types.count("model.called") == 1
    assert types.count("message.abandoned") == 1
    assert await execute(world, await world.claim(session), ScriptedModel(says("fine"))) is not None
    assert (await world.types(session))[-1] == "turn.completed"


async def test_a_tool_s_result_is_progress_that_three_lost_claims_count_from_anew(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    await claims_lost(world, Ready(world.org, session), 2)
    turn = await world.claim(session)
    hang = Hang()
    runner = model_runner(ScriptedModel(calls("quick"), hang), [prints("quick", "ran")])
    work = asyncio.create_task(execution(world, runner).execute(turn))
    await waited(hang.begun)
    work.cancel()
    await asyncio.wait([work])
    await lapse(world)
    await claims_lost(world, Ready(world.org, session), 2)
    assert await world.said(session, TurnFailed) == []
    await claims_lost(world, Ready(world.org, session), 1)
    assert [failed.reason for failed in await world.said(session, TurnFailed)] == ["no_progress"]


async def claims_lost(world: World, ready: Ready, count: int) -> None:
    for _ in range(count):
        assert await world.services.turns.claim(ready, "worker", ("model",)) is not None
        await lapse(world)


async def test_a_turn_given_back_after_progress_is_not_owed_a_claim(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    turn = await world.claim(session)
    gate = Gate()
    work = asyncio.create_task(execute(world, turn, ScriptedModel(calls("gate")), gate))
    await waited(gate.entered)
    work.cancel()
    await asyncio.wait([work])
    await world.services.turns.give_back(turn)
    assert (await world.services.turns.get(world.org, session, turn.turn)).stalled == 0
    await claims_lost(world, Ready(world.org, session), 3)
    assert [failed.reason for failed in await world.said(session, TurnFailed)] == ["no_progress"]


async def test_a_gracefully_stopped_worker_s_turns_are_claimed_at_once_and_count_as_no_failure(
    world: World,
) -> None:
    session = await world.new_session()
    await world.send(session)
    for _ in range(4):
        hang = Hang("half")
        async with working(world, model_runner(ScriptedModel(hang))):
            await waited(hang.begun)
        assert hang.stopped.is_set()
    async with working(world, model_runner(ScriptedModel(says("whole")))):
        await until(world, session, "turn.completed")
    assert [one.cause for one in await world.said(session, TurnReclaimed)] == ["worker_stopped"] * 4
    assert [one.attempt for one in await world.said(session, TurnStarted)] == [1, 2, 3, 4, 5]
    assert [one.text for one in await world.said(session, MessageCompleted)] == ["whole"]


class Renewals(LateAnswers):
    """Tells when the worker has renewed what it holds, unless the line to the server is down."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "claim")
        self.arrive.set()
        self.renewed = asyncio.Event()
        self.is_down = False

    async def renew(self, turns: Sequence[ClaimedTurn], worker: str) -> Sequence[ClaimedTurn]:
        if self.is_down:
            raise StoreUnavailable
        lost = await super().renew(turns, worker)
        self.renewed.set()
        return lost


async def test_a_worker_keeps_what_it_renews_and_stops_what_it_finds_lost(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "sojourn.worker.loop")
    session = await new_session(world)
    await world.send(session)
    gate, turns = Gate(), Renewals(world)
    runner = model_runner(ScriptedModel(calls("gate")), [gate.tool])
    settings = WorkerSettings("worker", renew_seconds=0.01)
    async with working(world, runner, settings, turns=turns, hears=False):
        await waited(gate.entered)
        for _ in range(3):
            world.clock.advance(LEASE_TTL_SECONDS - 1)
            turns.renewed.clear()
            await waited(turns.renewed)
            await world.services.upkeep.tick()
        assert await world.said(session, TurnReclaimed) == []
        turns.is_down = True
        await lapse(world)
        await world.claim(session, "successor")
        assert not gate.cancelled.is_set()
        turns.is_down = False
        await waited(gate.cancelled)
    # The worker that lost it gave nothing back.
    assert [one.cause for one in await world.said(session, TurnReclaimed)] == ["lease_expired"]
