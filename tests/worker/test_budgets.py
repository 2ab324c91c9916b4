"""A worker and a budget: the loop stops before the call that is not allowed, whatever happens in between."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from sojourn.domain.budget import Budget
from sojourn.domain.budget_events import Currency
from sojourn.domain.errors import CallRefused, StoreUnavailable
from sojourn.domain.events import ModelCalled, RunnerEvent, TurnFailed
from sojourn.domain.ids import SessionId
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.budgets import NewBudget
from tests.support.world import SOMEBODY, World
from tests.worker.late import LateAnswers
from tests.worker.model import Hang, ScriptedModel, calls, says
from tests.worker.tools import Gate, prints
from tests.worker.workplace import execution, model_runner, new_session, results, until, waited, working


async def limit(
    world: World, session: SessionId, amount: int, soft: int | None = None, currency: Currency = "tokens"
) -> Budget:
    soft_limit = None if soft is None else Decimal(soft)
    new = NewBudget(currency=currency, limit=Decimal(amount), soft_limit=soft_limit)
    return (await world.services.budgets.create(world.org, session, new, SOMEBODY)).value


async def charges(world: World, budget: Budget) -> list[tuple[int | None, Decimal | None]]:
    """The amount of each charge, with its model call."""
    ledger = await world.services.budgets.ledger(world.org, budget.id, 0, 100)
    return [(entry.call, entry.amount) for entry in ledger]


async def test_a_loop_of_tools_is_stopped_at_most_one_call_over_its_budget(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await new_session(world)
    budget = await limit(world, session, 5)
    model = ScriptedModel(calls("tick"))
    await world.send(session)
    async with working(world, model_runner(model, [prints("tick", "tock")])):
        await until(world, session, "turn.failed")
    # Each call takes two tokens: the third begins with one left.
    assert len(model.requests) == 3
    assert await charges(world, budget) == [(call, Decimal(2)) for call in (1, 2, 3)]
    assert [failed.reason for failed in await world.said(session, TurnFailed)] == ["budget"]
    assert await results(world, session) == {(call, 0): "done" for call in (1, 2, 3)}
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    assert await world.problems() == []


async def test_a_worker_goes_on_with_a_resumed_turn_where_it_stopped(world: World) -> None:
    session = await new_session(world)
    budget = await limit(world, session, 100, soft=3)
    model = ScriptedModel(calls("tick"), calls("tick"), says("done"))
    await world.send(session)
    async with working(world, model_runner(model, [prints("tick", "tock")])):
        await until(world, session, "turn.waiting")
        assert len(model.requests) == 2
        await world.services.budgets.resume(world.org, session, SOMEBODY)
        await until(world, session, "turn.completed")
    assert len(model.requests) == 3
    assert await charges(world, budget) == [(call, Decimal(2)) for call in (1, 2, 3)]
    assert await world.problems() == []


async def test_what_a_lost_worker_had_reported_is_charged_once(world: World) -> None:
    """It dies while its tool runs: the answer is charged, and the next worker pays for the next call only."""
    session = await new_session(world)
    budget = await limit(world, session, 3)
    gate, model = Gate(repeatable=True), ScriptedModel(calls("gate"))
    runner = model_runner(model, [gate.tool])
    await world.send(session)
    turn = await world.claim(session)
    lost = asyncio.create_task(execution(world, runner).execute(turn))
    await waited(gate.entered)
    lost.cancel()
    await asyncio.wait([lost])
    await world.services.turns.give_back(turn)
    gate.open()
    async with working(world, runner):
        await until(world, session, "turn.failed")
    assert await charges(world, budget) == [(1, Decimal(2)), (2, Decimal(2))]
    assert len(model.requests) == 2
    assert await world.problems() == []


async def test_a_call_that_died_with_its_worker_is_made_again_and_charged_once(world: World) -> None:
    session = await new_session(world)
    budget = await limit(world, session, 100)
    hang = Hang()
    await world.send(session)
    turn = await world.claim(session)
    lost = asyncio.create_task(execution(world, model_runner(ScriptedModel(hang))).execute(turn))
    await waited(hang.begun)
    lost.cancel()
    await asyncio.wait([lost])
    await world.services.turns.give_back(turn)
    async with working(world, model_runner(ScriptedModel(says("done")))):
        await until(world, session, "turn.completed")
    assert len(await world.said(session, ModelCalled)) == 2
    assert await charges(world, budget) == [(1, Decimal(2))]
    assert await world.problems() == []


class UnheardRefusal(LateAnswers):
    """The connection breaks when an append has been carried out that ends the turn."""

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        try:
            await super().append(turn, events, intents, steers_before)
        except CallRefused:
            self.done.set()
            raise StoreUnavailable from None


async def test_a_worker_that_does_not_hear_the_refusal_changes_nothing_any_more(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "sojourn.worker.loop")
    session = await new_session(world)
    budget = await limit(world, session, 2)
    model, turns = ScriptedModel(calls("tick")), UnheardRefusal(world, "settle")
    await world.send(session)
    async with working(world, model_runner(model, [prints("tick", "tock")]), turns=turns):
        await waited(turns.done)
        await until(world, session, "turn.failed")
    assert len(model.requests) == 1
    assert await charges(world, budget) == [(1, Decimal(2))]
    assert [failed.reason for failed in await world.said(session, TurnFailed)] == ["budget"]
    assert await world.problems() == []
