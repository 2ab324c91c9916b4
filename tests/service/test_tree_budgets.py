"""Budgets of a session and the tree below it: one purse for all, and each turn at most one call beyond it."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from random import Random

import pytest

from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.budget_events import BudgetExhausted, BudgetPaused, BudgetWarned
from sojourn.domain.errors import CallRefused
from sojourn.domain.events import ModelCalled, RunnerEvent, TurnFailed
from sojourn.domain.ids import MessageId, SessionId, uuid7
from sojourn.domain.session import Activity
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.telemetry import counters
from tests.service.test_budgets import answer, ledger, limit, now
from tests.support.world import SOMEBODY, World
from tests.worker.family import children, do_all, lead, run, work_alone


async def helpers(world: World, leader: SessionId) -> list[SessionId]:
    return [record.session.id for record in await children(world, leader)]


async def started(world: World, count: int = 2) -> tuple[SessionId, list[SessionId]]:
    """A session and the children that it waits for, whose first turns are queued."""
    leader = await lead(world, run(*(f"message {n}" for n in range(count))), {"say": "done"})
    await work_alone(world, leader)
    await do_all(world)
    return leader, await helpers(world, leader)


def call(number: int) -> RunnerEvent:
    return ModelCalled(call=number, model="a/b", message=MessageId(uuid7()))


async def again(world: World, turn: ClaimedTurn, number: int, tokens: int = 10) -> bool:
    """Report the open call, and announce the next; whether that is allowed."""
    try:
        await world.services.turns.append(turn, await answer(world, turn, tokens, tools=1), (call(number),))
    except CallRefused:
        return False
    return True


async def test_what_children_use_is_charged_above_and_the_ledger_says_who(world: World) -> None:
    leader, (one, two) = await started(world)
    budget, inner = await limit(world, leader, 100), await limit(world, one, 100)
    await do_all(world)
    for child in (one, two):
        turn = await world.claim(child)
        await world.services.turns.settle(turn, await answer(world, turn, 30))
    assert (await now(world, budget)).used == 60
    assert (await now(world, inner)).used == 30
    entries = await ledger(world, budget)
    assert [(entry.session, entry.amount, entry.source) for entry in entries] == [
        (one, 30, "model_call"),
        (two, 30, "model_call"),
    ]
    assert await world.problems() == []


async def test_a_budget_that_is_used_up_stops_every_turn_of_the_tree_before_its_next_call(
    world: World,
) -> None:
    leader, kids = await started(world, 3)
    budget = await limit(world, leader, 25)
    await do_all(world)
    turns = [await world.claim(child) for child in kids]
    assert await again(world, turns[0], 2)
    assert not await again(world, turns[1], 2, 20)
    assert not await again(world, turns[2], 2)
    assert not await again(world, turns[0], 3)
    for child in kids:
        (failed,) = await world.said(child, TurnFailed)
        assert (failed.reason, failed.error) == ("budget", "The budget of 25 tokens is used up.")
    # Three calls were out when it was used up: each of three turns is one over, and none two.
    assert (await now(world, budget)).used == 50
    await do_all(world)
    (told,) = await world.said(leader, BudgetExhausted)
    assert (told.budget, told.balance) == (budget.id, -25)
    assert await world.problems() == []


async def test_a_soft_limit_parks_each_turn_and_a_top_up_lets_all_of_them_go_on(world: World) -> None:
    leader, kids = await started(world)
    budget = await limit(world, leader, 100, soft=10)
    await do_all(world)
    turns = [await world.claim(child) for child in kids]
    for turn in turns:
        assert not await again(world, turn, 2, 12)
    await do_all(world)
    assert [event.budget for event in await world.said(leader, BudgetPaused)] == [budget.id]
    records = [await world.record(child) for child in kids]
    assert [one.session.activity for one in records] == [Activity.WAITING] * 2
    # Whoever asks below the session whose budget it is resumes nothing.
    assert (await world.services.budgets.resume(world.org, kids[0], SOMEBODY)).value == 0
    await world.services.budgets.resume(world.org, leader, SOMEBODY)
    await do_all(world)
    records = [await world.record(child) for child in kids]
    assert [one.session.activity for one in records] == [Activity.QUEUED] * 2
    assert await world.problems() == []


async def test_a_warning_is_said_where_the_budget_is_from(world: World) -> None:
    leader, (one, _) = await started(world)
    budget = await limit(world, leader, 100)
    await do_all(world)
    assert await again(world, await world.claim(one), 2, 85)
    await do_all(world)
    assert [event.budget for event in await world.said(leader, BudgetWarned)] == [budget.id]
    assert await world.said(one, BudgetWarned) == []
    check = await world.services.budgets.check_session(world.org, one)
    assert (check.action, check.budget and check.budget.id) == ("warn", budget.id)


async def test_a_budget_above_that_changes_nothing_of_a_session_does_not_date_it_anew(world: World) -> None:
    leader, (one, _) = await started(world)
    before = await world.record(one)
    world.clock.advance(5)
    done = counters.errands_done
    await limit(world, leader, 100)
    await do_all(world)
    after = await world.record(one)
    assert after.session.kin.budgeted
    assert after.session.updated_at == before.session.updated_at
    assert counters.errands_done > done


async def test_seconds_are_those_of_every_turn_that_somebody_holds(world: World) -> None:
    leader, (one, two) = await started(world)
    first = await world.claim(one)
    budget = await limit(world, leader, 100, "seconds")
    await do_all(world)
    world.clock.advance(3)
    second = await world.claim(two)
    world.clock.advance(4)
    await world.services.turns.settle(first, await answer(world, first))
    world.clock.advance(5)
    await world.services.turns.give_back(second)
    world.clock.advance(50)
    # The first from when the budget was there, the second from its claim to its end.
    assert (await now(world, budget)).used == 7 + 9
    assert await world.problems() == []


async def test_a_session_that_is_started_below_a_budget_is_under_it(world: World) -> None:
    leader = await lead(world, run("hello"), {"say": "done"})
    await limit(world, leader, 10_000)
    await work_alone(world, leader)
    await do_all(world)
    (child,) = await helpers(world, leader)
    assert (await world.record(child)).session.kin.budgeted


async def test_a_child_without_a_budget_above_it_pays_for_none(world: World) -> None:
    _, (child,) = await started(world, 1)

    async def statements() -> int:
        turn = await world.claim(child)
        before = counters.statements
        await world.services.turns.append(turn, await answer(world, turn, tools=1), (call(2),))
        return counters.statements - before

    lone = await world.new_session()
    await world.send(lone)
    turn = await world.claim(lone)
    before = counters.statements
    await world.services.turns.append(turn, await answer(world, turn, tools=1), (call(2),))
    alone = counters.statements - before
    assert await statements() == alone


async def work_at_random(world: World, child: SessionId, budget: Budget, random: Random) -> Decimal:
    """Call, lose the worker, be claimed again, top up now and then; how much that was."""
    paid = Decimal(0)
    for _ in range(8):
        turn = await world.services.turns.claim(Ready(world.org, child), "worker", ("model",))
        if turn is None:
            break
        progress = (await world.conversation(child)).progress
        number = progress.call
        if progress.open_call is None:
            number += 1
            try:
                await world.services.turns.append(turn, (), (call(number),))
            except CallRefused:
                break
        while random.random() < 0.8:
            if not await again(world, turn, number + 1, random.randint(1, 10)):
                return paid
            number += 1
            if random.random() < 0.15:
                amount = Decimal(random.randint(1, 30))
                await world.services.budgets.top_up(world.org, budget.id, amount, None, SOMEBODY)
                paid += amount
        await world.services.turns.give_back(turn)
    return paid


def beyond(entries: Sequence[BudgetEntry], limit: Decimal) -> list[SessionId]:
    """Whose model calls were charged when nothing was left, since it was last topped up."""
    left, found = limit, list[SessionId]()
    for entry in entries:
        if left <= 0 and entry.source == "model_call":
            found.append(entry.session)
        left -= entry.amount or 0
        if left > 0:
            assert len(found) == len(set(found))
            found.clear()
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_however_turns_race_die_and_are_paid_for_none_makes_two_calls_beyond_a_budget(
    world: World, seed: int
) -> None:
    leader, kids = await started(world, 6)
    budget = await limit(world, leader, 60)
    await do_all(world)
    paid = await asyncio.gather(
        *(work_at_random(world, child, budget, Random(seed * 100 + n)) for n, child in enumerate(kids))
    )
    await do_all(world)
    after, entries = await now(world, budget), await ledger(world, budget)
    used = sum((entry.amount or Decimal(0)) for entry in entries if entry.source == "model_call")
    # The top-ups are entries of the other sign, and nothing is charged twice or lost.
    assert after.balance == budget.limit + sum(paid) - used
    # Those calls were out when it was used up: one of a turn at most.
    last = beyond(entries, budget.limit)
    assert len(last) == len(set(last))
    assert await world.problems() == []
