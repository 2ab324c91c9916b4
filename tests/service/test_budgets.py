"""Budgets under the session's lock: what is charged, what is refused, and how a session goes on."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.budget_events import BudgetChanged, BudgetResumed, Currency
from sojourn.domain.content import Usage
from sojourn.domain.errors import CallRefused, LeaseLost, LimitExceeded, NotFound, WrongState
from sojourn.domain.events import (
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    TurnFailed,
    UsageRecorded,
)
from sojourn.domain.ids import KeyId, MessageId, OrgId, SessionId, uuid7
from sojourn.domain.policy import Policy
from sojourn.domain.session import Activity
from sojourn.domain.turn import TurnStatus
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.budgets import BudgetChange, NewBudget
from sojourn.service.results import Repeat
from sojourn.service.sessions import NewSession
from sojourn.telemetry import counters
from tests.support.world import SOMEBODY, World

DOLLAR = Decimal(1)


async def limit(
    world: World,
    session: SessionId,
    amount: int | str,
    currency: Currency = "tokens",
    soft: int | str | None = None,
) -> Budget:
    new = NewBudget(
        currency=currency, limit=Decimal(amount), soft_limit=None if soft is None else Decimal(soft)
    )
    return (await world.services.budgets.create(world.org, session, new, SOMEBODY)).value


async def now(world: World, budget: Budget) -> Budget:
    return await world.services.budgets.get(world.org, budget.id)


async def ledger(world: World, budget: Budget) -> Sequence[BudgetEntry]:
    return await world.services.budgets.ledger(world.org, budget.id, 0, 1_000)


async def answer(
    world: World, turn: ClaimedTurn, tokens: int = 10, tools: int = 0, cost_usd: Decimal | None = None
) -> tuple[RunnerEvent, ...]:
    """What the open call comes to: an answer, and tools that it asks for and that have run."""
    opened = (await world.conversation(turn.session)).progress.open_call
    assert opened is not None
    call = opened.call
    made: list[RunnerEvent] = [
        MessageCompleted(message=opened.message, call=call, text="so"),
        ModelCompleted(
            call=call,
            model="a/b",
            provider="a",
            usage=Usage(tokens - 1, 1, cost_usd=cost_usd),
            finish_reason="stop",
        ),
    ]
    for index in range(tools):
        id = f"{call}.{index}"
        made += [
            ToolRequested(call=call, index=index, id=id, name="clock", arguments="{}"),
            ToolStarted(call=call, index=index),
            ToolCompleted(call=call, index=index, id=id, name="clock", status="done", output=""),
        ]
    return tuple(made)


def intent(call: int) -> tuple[ModelCalled, ...]:
    return (ModelCalled(call=call, model="a/b", message=MessageId(uuid7())),)


async def work(world: World, turn: ClaimedTurn, call: int, tokens: int = 10) -> None:
    """Report the answer of call `call` with its tool, and announce the next call."""
    await world.services.turns.append(turn, await answer(world, turn, tokens, 1), intent(call + 1), call + 1)


async def activity(world: World, session: SessionId) -> Activity:
    return (await world.record(session)).session.activity


async def test_a_used_up_budget_ends_the_turn_before_its_next_call(world: World) -> None:
    turn = await world.claimed()
    budget = await limit(world, turn.session, 25)
    await work(world, turn, 1)
    await work(world, turn, 2)
    with pytest.raises(CallRefused):
        await work(world, turn, 3)
    assert (await now(world, budget)).balance == Decimal(-5)
    (failed,) = await world.said(turn.session, TurnFailed)
    assert (failed.reason, failed.error) == ("budget", "The budget of 25 tokens is used up.")
    assert len(await world.said(turn.session, ModelCalled)) == 3
    # What the refused append reported is there all the same.
    assert len(await world.said(turn.session, ToolCompleted)) == 3
    assert await activity(world, turn.session) is Activity.IDLE
    with pytest.raises(LeaseLost):
        await world.services.turns.settle(turn, ())
    assert [(entry.amount, entry.source, entry.call) for entry in await ledger(world, budget)] == [
        (Decimal(10), "model_call", call) for call in (1, 2, 3)
    ]
    assert await world.problems() == []


async def test_a_used_up_budget_starts_no_further_turn(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 5)
    await world.services.budgets.charge(world.org, budget.id, Decimal(5), "by hand", SOMEBODY)
    for _ in range(2):
        await world.send(session)
    for _ in range(2):
        assert await world.services.turns.claim(Ready(world.org, session), "worker", ("model",)) is None
    turns = await world.services.turns.list(world.org, session, None, 10)
    assert [(turn.status, turn.reason) for turn in turns] == [(TurnStatus.FAILED, "budget")] * 2
    assert await world.said(session, ModelCalled) == []
    assert await world.problems() == []


async def test_a_soft_limit_parks_the_turn_until_somebody_resumes(world: World) -> None:
    turn = await world.claimed()
    budget = await limit(world, turn.session, 100, soft=15)
    await work(world, turn, 1)
    with pytest.raises(CallRefused):
        await work(world, turn, 2)
    assert (await now(world, budget)).status == "paused"
    assert await activity(world, turn.session) is Activity.WAITING
    assert (await world.services.budgets.check_session(world.org, turn.session)).action == "pause"
    resumed = await world.services.budgets.resume(world.org, turn.session, SOMEBODY)
    assert resumed.value == 1
    again = await world.claim(turn.session)
    assert again.turn == turn.turn
    await world.services.turns.append(again, (), intent(3), 3)
    await work(world, again, 3)
    await world.services.turns.settle(again, await answer(world, again))
    assert (await now(world, budget)).status == "active"
    assert await world.problems() == []
    assert (await world.services.budgets.resume(world.org, turn.session, SOMEBODY)).value == 0


async def test_a_paused_budget_parks_the_first_call_of_a_turn_too(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 100)
    await world.services.budgets.change(world.org, budget.id, BudgetChange(status="paused"), SOMEBODY)
    await world.send(session)
    assert await world.services.turns.claim(Ready(world.org, session), "worker", ("model",)) is None
    assert await activity(world, session) is Activity.WAITING
    assert await world.said(session, ModelCalled) == []
    await world.services.budgets.disable(world.org, budget.id, SOMEBODY)
    turn = await world.claim(session)
    assert turn.attempt == 2
    await world.services.turns.append(turn, (), intent(1), 1)
    assert await world.problems() == []


@pytest.mark.parametrize("act", ["top up", "raise", "enable"])
async def test_more_to_use_lets_the_waiting_turn_go_on(world: World, act: str) -> None:
    turn = await world.claimed()
    budget = await limit(world, turn.session, 100, soft=5)
    with pytest.raises(CallRefused):
        await work(world, turn, 1)
    budgets = world.services.budgets
    if act == "top up":
        topped_up = await budgets.top_up(world.org, budget.id, DOLLAR, "a gift", SOMEBODY)
        assert topped_up.value.balance == Decimal(91)
    elif act == "raise":
        await budgets.change(world.org, budget.id, BudgetChange(limit=Decimal(200)), SOMEBODY)
    else:
        await budgets.change(world.org, budget.id, BudgetChange(status="active"), SOMEBODY)
    assert (await now(world, budget)).status == "active"
    assert await activity(world, turn.session) is Activity.QUEUED
    assert len(await world.said(turn.session, BudgetResumed)) == 1
    await world.services.turns.append(await world.claim(turn.session), (), intent(2), 2)
    assert await world.problems() == []


async def test_a_turn_waits_for_the_last_of_its_paused_budgets(world: World) -> None:
    turn = await world.claimed()
    first = await limit(world, turn.session, 100, soft=5)
    second = await limit(world, turn.session, 1, "credits", soft="0.005")
    with pytest.raises(CallRefused):
        await work(world, turn, 1)
    await world.services.budgets.top_up(world.org, first.id, DOLLAR, None, SOMEBODY)
    assert await activity(world, turn.session) is Activity.WAITING
    await world.services.budgets.top_up(world.org, second.id, DOLLAR, None, SOMEBODY)
    assert await activity(world, turn.session) is Activity.QUEUED
    assert await world.problems() == []


async def test_a_runner_that_announces_no_call_is_stopped_by_its_report(world: World) -> None:
    session = await world.new_session(NewSession(agent="spawning"))
    budget = await limit(world, session, 10)
    await world.send(session)
    turn = await world.claim(session)
    used = UsageRecorded(source="acp", usage=Usage(5, 1))
    asked = ToolRequested(call=0, index=0, id="t", name="shell", arguments="{}")
    await world.services.turns.append(turn, (used, asked))
    with pytest.raises(CallRefused):
        await world.services.turns.append(turn, (used,))
    assert (await now(world, budget)).balance == Decimal(-2)
    (failed,) = await world.said(session, TurnFailed)
    assert failed.reason == "budget"
    (result,) = await world.said(session, ToolCompleted)
    assert (result.status, result.output) == ("cancelled", "A budget is used up.")
    with pytest.raises(LeaseLost):
        await world.services.turns.settle(turn, ())
    assert await world.problems() == []


async def test_a_turn_that_waits_for_a_budget_ends_at_its_deadline(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_turn_seconds=60)))
    await limit(world, session, 100, soft=5)
    sent = await world.send(session)
    turn = await world.claim(session)
    with pytest.raises(CallRefused):
        await work(world, turn, 1)
    world.clock.advance(61)
    await world.services.upkeep.tick()
    ended = await world.services.turns.get(world.org, session, sent.turn)
    assert (ended.status, ended.reason) == (TurnStatus.CANCELLED, "expired")
    assert await world.problems() == []


async def test_tools_turns_time_and_money_are_charged_each_to_its_own_budget(world: World) -> None:
    session = await world.new_session()
    currencies: tuple[Currency, ...] = ("usd", "tool_calls", "turns", "seconds", "custom")
    budgets = {currency: await limit(world, session, 1_000, currency) for currency in currencies}
    await world.send(session)
    turn = await world.claim(session)
    world.clock.advance(2.5)
    reported = await answer(world, turn, tools=2, cost_usd=Decimal("0.25"))
    await world.services.turns.append(turn, reported, intent(2), 2)
    world.clock.advance(1)
    await world.services.turns.settle(turn, await answer(world, turn))
    world.clock.advance(60)
    used = {currency: (await now(world, budget)).used for currency, budget in budgets.items()}
    assert used == {
        "usd": Decimal("0.25"),
        "tool_calls": Decimal(2),
        "turns": Decimal(1),
        "seconds": Decimal("3.5"),
        "custom": Decimal(0),
    }
    unknown = (await ledger(world, budgets["usd"]))[-1]
    assert (unknown.amount, unknown.description) == (None, "The price of a/b is not known.")
    assert await world.problems() == []


async def test_the_time_of_a_turn_that_is_taken_away_is_charged_once(world: World) -> None:
    turn = await world.claimed()
    budget = await limit(world, turn.session, 1_000, "seconds")
    world.clock.advance(5)
    await world.services.turns.give_back(turn)
    world.clock.advance(100)
    again = await world.claim(turn.session)
    world.clock.advance(2)
    await world.services.turns.cancel(world.org, turn.session, again.turn, SOMEBODY)
    assert [entry.amount for entry in await ledger(world, budget)] == [Decimal(5), Decimal(2)]
    assert await world.problems() == []


async def test_as_many_turns_run_as_a_budget_of_turns_allows(world: World) -> None:
    session = await world.new_session()
    await limit(world, session, 2, "turns")
    for _ in range(2):
        await world.send(session)
        turn = await world.claim(session)
        await world.services.turns.settle(turn, await answer(world, turn))
    sent = await world.send(session)
    assert await world.services.turns.claim(Ready(world.org, session), "worker", ("model",)) is None
    last = await world.services.turns.get(world.org, session, sent.turn)
    assert (last.status, last.reason) == (TurnStatus.FAILED, "budget")


async def test_a_session_without_budgets_pays_nothing_for_them(world: World) -> None:
    async def statements_of_a_turn(session: SessionId) -> int:
        before = counters.statements
        await world.send(session)
        turn = await world.claim(session)
        middle = counters.statements
        reported = await answer(world, turn)
        begin = counters.statements
        await world.services.turns.settle(turn, reported)
        return counters.statements - begin + middle - before

    session = await world.new_session()
    await statements_of_a_turn(session)
    without = await statements_of_a_turn(session)
    budget = await limit(world, session, 1_000)
    assert await statements_of_a_turn(session) > without
    await world.services.budgets.disable(world.org, budget.id, SOMEBODY)
    assert await statements_of_a_turn(session) == without


async def test_a_disabled_budget_keeps_its_ledger_and_can_be_enabled_again(world: World) -> None:
    turn = await world.claimed()
    budget = await limit(world, turn.session, 100)
    await work(world, turn, 1)
    await world.services.budgets.disable(world.org, budget.id, SOMEBODY)
    await work(world, turn, 2)
    assert len(await ledger(world, budget)) == 1
    for refused in (world.services.budgets.top_up, world.services.budgets.charge):
        with pytest.raises(WrongState):
            await refused(world.org, budget.id, DOLLAR, None, SOMEBODY)
    await world.services.budgets.change(world.org, budget.id, BudgetChange(status="active"), SOMEBODY)
    await work(world, turn, 3)
    assert (await now(world, budget)).used == Decimal(20)
    assert await world.problems() == []


async def test_a_change_that_changes_nothing_is_not_said(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 10)
    budgets, said = world.services.budgets, await world.types(session)
    unchanged = BudgetChange(limit=Decimal("10.0"), status="active")
    assert await budgets.change(world.org, budget.id, unchanged, SOMEBODY) == budget
    assert await world.types(session) == said
    await budgets.disable(world.org, budget.id, SOMEBODY)
    said = await world.types(session)
    await budgets.disable(world.org, budget.id, SOMEBODY)
    assert await world.types(session) == said
    assert await world.problems() == []


async def test_nothing_is_resumed_that_has_nothing_left(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 10)
    await world.services.budgets.charge(world.org, budget.id, Decimal(11), None, SOMEBODY)
    assert (await world.services.budgets.resume(world.org, session, SOMEBODY)).value == 0
    with pytest.raises(WrongState):
        await world.services.budgets.change(world.org, budget.id, BudgetChange(status="active"), SOMEBODY)
    await world.services.budgets.top_up(world.org, budget.id, DOLLAR, None, SOMEBODY)
    assert (await now(world, budget)).status == "exhausted"
    await world.services.budgets.top_up(world.org, budget.id, DOLLAR, None, SOMEBODY)
    assert (await now(world, budget)).status == "active"
    changed = await world.said(session, BudgetChanged)
    assert [(event.balance, event.status) for event in changed] == [
        (Decimal(0), "exhausted"),
        (DOLLAR, "active"),
    ]


async def test_a_session_has_only_so_many_budgets(world: World) -> None:
    session = await world.new_session()
    budgets = [await limit(world, session, 1) for _ in range(20)]
    with pytest.raises(LimitExceeded):
        await limit(world, session, 1)
    await world.services.budgets.disable(world.org, budgets[0].id, SOMEBODY)
    await limit(world, session, 1)
    with pytest.raises(LimitExceeded):
        await world.services.budgets.change(world.org, budgets[0].id, BudgetChange(status="active"), SOMEBODY)
    listed = await world.services.budgets.list(world.org, session, None, 100)
    assert len(listed) == 21
    assert await world.problems() == []


async def test_another_organisations_budgets_are_not_found(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 10)
    budgets, other = world.services.budgets, OrgId(uuid7())
    with pytest.raises(NotFound):
        await budgets.get(other, budget.id)
    with pytest.raises(NotFound):
        await budgets.top_up(other, budget.id, DOLLAR, None, SOMEBODY)
    with pytest.raises(NotFound):
        await budgets.list(other, session, None, 10)
    with pytest.raises(NotFound):
        await budgets.check_session(other, session)
    with pytest.raises(NotFound):
        await budgets.resume(other, session, SOMEBODY)
    assert await now(world, budget) == budget


async def test_a_deleted_sessions_budgets_are_gone_with_it(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 10)
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    with pytest.raises(NotFound):
        await now(world, budget)
    with pytest.raises(NotFound):
        await ledger(world, budget)
    with pytest.raises(NotFound):
        await world.services.budgets.top_up(world.org, budget.id, DOLLAR, None, SOMEBODY)
    await world.services.upkeep.purge()
    assert world.database.query("SELECT id FROM budgets") == []


async def test_a_repeated_top_up_is_made_once(world: World) -> None:
    session = await world.new_session()
    budget = await limit(world, session, 10)
    repeat = Repeat(KeyId(uuid7()), "top_up", "once", b"hash")
    tops = [
        world.services.budgets.top_up(world.org, budget.id, DOLLAR, None, SOMEBODY, repeat) for _ in range(3)
    ]
    results = await asyncio.gather(*tops)
    assert sorted(result.replayed for result in results) == [False, True, True]
    assert (await now(world, budget)).balance == Decimal(11)


async def test_charges_top_ups_and_disabling_at_once_lose_nothing(world: World) -> None:
    """All lock the same row, whatever order they come in; the ledger tells of each that was not refused."""
    turn = await world.claimed()
    budget = await limit(world, turn.session, 1_000, soft=50)
    budgets = world.services.budgets

    async def use() -> None:
        for _ in range(10):
            await budgets.charge(world.org, budget.id, Decimal(7), None, SOMEBODY)

    async def top_up() -> None:
        for _ in range(10):
            await budgets.top_up(world.org, budget.id, Decimal(3), None, SOMEBODY)

    async def report() -> None:
        for call in range(1, 6):
            await work(world, turn, call, tokens=11)

    async def disable() -> None:
        for _ in range(3):
            await budgets.disable(world.org, budget.id, SOMEBODY)
            await budgets.change(world.org, budget.id, BudgetChange(status="active"), SOMEBODY)

    acts = (use(), top_up(), report(), disable(), use(), top_up())
    refused = [error for error in await asyncio.gather(*acts, return_exceptions=True) if error is not None]
    assert all(isinstance(error, WrongState | CallRefused) for error in refused)
    assert len(await ledger(world, budget)) > 0
    assert await world.problems() == []
