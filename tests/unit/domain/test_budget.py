from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojourn.domain.books import Books, Use
from sojourn.domain.budget import (
    Action,
    Budget,
    BudgetStatus,
    charged,
    check,
    check_limits,
    exact,
    judged,
    limited,
    topped_up,
)
from sojourn.domain.budget_events import BudgetExhausted, BudgetPaused, BudgetResumed, BudgetWarned, Currency
from sojourn.domain.content import ToolStatus, Usage
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.events import Event, ModelCompleted, ToolCompleted, UsageRecorded
from sojourn.domain.ids import SessionId, uuid7
from tests.support.clock import START
from tests.unit.domain.make import SOMEBODY, a_budget

# Limits have twelve places; the price of a call may have more.
SESSION = SessionId(uuid7())
amounts = st.decimals(min_value=Decimal("1e-12"), max_value=Decimal(10**12), places=12)
uses = st.decimals(min_value=Decimal("1e-12"), max_value=Decimal(10**6), places=13)
ONE = Decimal(1)


def said_by(budget: Budget, *uses: str) -> list[str]:
    """The types of what the log says while uses of these amounts are charged."""
    books = Books([budget], budget.session, START)
    types: list[str] = []
    for use in uses:
        charge = books.charge(books.get(budget.id), Use(amount=Decimal(use), source="charge"))
        types.extend(event.type for event in charge)
    return types


@example(limit=Decimal("10.000000000001"), moves=[("use", Decimal("0.0000000000005"))])
@given(
    limit=amounts,
    moves=st.lists(
        st.tuples(st.just("use"), uses) | st.tuples(st.sampled_from(["top up", "limit"]), amounts)
    ),
)
def test_the_balance_is_the_limit_less_what_the_ledger_says_to_the_last_place(
    limit: Decimal, moves: list[tuple[str, Decimal]]
) -> None:
    budget = a_budget(str(limit))
    books = Books([budget], budget.session, START)
    for move, amount in moves:
        current = books.get(budget.id)
        if move == "use":
            list(books.charge(current, Use(amount=amount, source="charge")))
        elif move == "top up":
            list(books.top_up(current, amount, None, SOMEBODY))
        else:
            list(books.put(limited(current, amount, None), SOMEBODY))
    last = books.get(budget.id)
    used = sum((entry.amount for entry in books.entries if entry.amount is not None), Decimal(0))
    assert last.balance == last.limit - used
    assert (last.balance <= 0) == (last.status == "exhausted")
    assert [entry.number for entry in books.entries] == list(range(1, last.entries + 1))


@given(limit=st.integers(1, 50), soft=st.integers(1, 50), uses=st.lists(st.integers(1, 9), max_size=30))
def test_checking_before_each_use_oversteps_a_limit_by_less_than_one_use(
    limit: int, soft: int, uses: list[int]
) -> None:
    budget = a_budget(str(limit), soft_limit=Decimal(min(soft, limit)))
    for use in uses:
        before = budget
        if check([budget]).allows_calls:
            budget = charged(budget, Decimal(use))
            assert before.balance > 0
            assert budget.used < before.limit + use
            # Whatever crosses the soft limit is the last use before somebody resumes.
            assert check([budget]).allows_calls == (budget.used <= min(soft, limit) and budget.balance > 0)


@pytest.mark.parametrize(
    ("uses", "said"),
    [
        (("7.9",), []),
        (("8",), ["budget.warned"]),
        (("8", "1"), ["budget.warned"]),
        (("8", "2"), ["budget.warned", "budget.exhausted"]),
        (("11",), ["budget.exhausted"]),
        (("11", "1"), ["budget.exhausted"]),
    ],
)
def test_a_warning_is_said_once_and_not_beside_the_end(uses: tuple[str, ...], said: list[str]) -> None:
    assert said_by(a_budget("10"), *uses) == said


@pytest.mark.parametrize(
    ("uses", "said"),
    [
        (("5",), []),
        (("5.1",), ["budget.paused"]),
        (("5.1", "1"), ["budget.paused"]),
        (("9",), ["budget.warned", "budget.paused"]),
        (("12",), ["budget.exhausted"]),
    ],
)
def test_a_budget_pauses_when_its_soft_limit_is_crossed(uses: tuple[str, ...], said: list[str]) -> None:
    assert said_by(a_budget("10", soft_limit=Decimal(5)), *uses) == said


def test_a_resumed_budget_goes_on_beyond_its_soft_limit_until_the_hard_one() -> None:
    paused = charged(a_budget("10", soft_limit=Decimal(5)), Decimal(6))
    assert paused.status == "paused"
    resumed = replace(paused, status="active")
    assert charged(resumed, ONE).status == "active"
    assert charged(resumed, Decimal(4)).status == "exhausted"


def test_a_top_up_revives_what_is_used_up_as_soon_as_anything_is_left() -> None:
    spent = charged(a_budget("10"), Decimal(12))
    assert topped_up(spent, Decimal(2)).status == "exhausted"
    assert topped_up(spent, Decimal(3)) == replace(spent, balance=ONE, status="active")
    assert topped_up(replace(spent, status="disabled"), Decimal(3)).status == "disabled"


def test_new_limits_judge_the_same_use_anew() -> None:
    budget = charged(a_budget("10", soft_limit=Decimal(8)), Decimal(6))
    assert limited(budget, Decimal(10), Decimal(8)) is budget
    assert limited(budget, Decimal(6), None).status == "exhausted"
    assert limited(budget, Decimal(10), Decimal(5)).status == "paused"
    lower = limited(budget, Decimal(7), Decimal(6))
    assert (lower.status, lower.balance, lower.used) == ("active", ONE, Decimal(6))
    paused = limited(budget, Decimal(10), Decimal(5))
    assert limited(paused, Decimal(11), Decimal(5)).status == "active"
    assert limited(paused, Decimal(10), Decimal(6)).status == "active"
    assert judged(paused, is_raised=True).status == "active"


@pytest.mark.parametrize(
    ("statuses", "action"),
    [
        ((), "continue"),
        (("disabled", "active"), "continue"),
        (("active", "paused"), "pause"),
        (("exhausted", "paused", "active"), "stop"),
    ],
)
def test_the_strictest_budget_has_the_say(statuses: tuple[BudgetStatus, ...], action: Action) -> None:
    budgets = [a_budget(status=status) for status in statuses]
    verdict = check(budgets)
    assert verdict.action == action
    assert verdict.allows_calls == (action == "continue")
    assert (verdict.budget is None) == (action == "continue")


def test_little_left_is_a_warning_that_still_allows_calls() -> None:
    low = a_budget("10", balance=Decimal(2))
    verdict = check([a_budget(), low])
    assert (verdict.action, verdict.budget, verdict.allows_calls) == ("warn", low, True)


@pytest.mark.parametrize(
    ("limit", "soft_limit", "field"),
    [
        ("0", None, "limit"),
        ("1000000000000.1", None, "limit"),
        ("5", "0", "soft_limit"),
        ("5", "6", "soft_limit"),
    ],
)
def test_limits_that_make_no_sense_are_refused(limit: str, soft_limit: str | None, field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_limits(Decimal(limit), None if soft_limit is None else Decimal(soft_limit))
    assert refusal.value.field == field


def a_model_call(cost_usd: Decimal | None) -> ModelCompleted:
    return ModelCompleted(
        call=2, model="a/b", provider="a", usage=Usage(900, 100, 50, 60, cost_usd), finish_reason="stop"
    )


def a_tool_call(status: ToolStatus) -> ToolCompleted:
    return ToolCompleted(call=1, index=0, id="t", name="clock", status=status, output="")


USAGE = UsageRecorded(source="acp", usage=Usage(1, 2))


@pytest.mark.parametrize(
    ("currency", "event", "amount"),
    [
        ("tokens", a_model_call(None), "1000"),
        ("credits", a_model_call(None), "1"),
        ("usd", a_model_call(Decimal("0.00000000015")), "0.00000000015"),
        ("tokens", USAGE, "3"),
        ("credits", USAGE, "0.003"),
        ("tool_calls", a_tool_call("done"), "1"),
        ("tool_calls", a_tool_call("unknown"), "1"),
    ],
)
def test_each_currency_is_metered_by_what_the_log_tells(
    currency: Currency, event: Event, amount: str
) -> None:
    budget = a_budget("10000", currency=currency)
    books = Books([budget], budget.session, START)
    list(books.meter(event, None, 7))
    assert [(entry.amount, entry.seq) for entry in books.entries] == [(Decimal(amount), 7)]
    assert books.get(budget.id).used == Decimal(amount)


@pytest.mark.parametrize(
    ("currency", "event"),
    [
        ("tool_calls", a_tool_call("cancelled")),
        ("tool_calls", a_model_call(None)),
        ("turns", a_model_call(None)),
        ("seconds", a_model_call(None)),
        ("custom", a_model_call(ONE)),
        ("tokens", a_tool_call("done")),
        ("usd", a_model_call(Decimal(0))),
    ],
)
def test_what_costs_nothing_in_a_currency_is_not_in_its_ledger(currency: Currency, event: Event) -> None:
    books = Books([a_budget("10", session=SESSION, currency=currency)], SESSION, START)
    assert list(books.meter(event, None, 7)) == []
    assert books.entries == []
    assert books.changed == ()


def test_a_use_without_a_known_price_is_said_and_not_guessed() -> None:
    budget = a_budget("10", currency="usd")
    books = Books([budget], budget.session, START)
    assert list(books.meter(a_model_call(None), None, 7)) == []
    (entry,) = books.entries
    assert (entry.amount, entry.call) == (None, 2)
    assert entry.description == "The price of a/b is not known."
    assert books.get(budget.id).balance == Decimal(10)


def test_a_disabled_budget_is_not_charged() -> None:
    books = Books([a_budget("10", session=SESSION, status="disabled")], SESSION, START)
    assert list(books.meter(a_model_call(ONE), None, 7)) == []
    assert books.entries == []


@pytest.mark.parametrize("text", ["1E+3", "1.50", "0.1234567890123", "-7E+11"])
def test_an_amount_is_written_shortly_and_without_an_exponent(text: str) -> None:
    written = str(exact(Decimal(text)))
    assert "E" not in written
    assert not written.endswith("0") or "." not in written
    assert abs(Decimal(written) - Decimal(text)) < Decimal("1e-12")


def test_what_the_log_says_of_a_line_has_the_numbers_of_it() -> None:
    budget = a_budget("10", soft_limit=Decimal(5))
    books = Books([budget], budget.session, START)
    use = Use(amount=Decimal(9), source="charge")
    facts: dict[str, Any] = {"budget": budget.id, "currency": "tokens", "limit": Decimal(10), "balance": ONE}
    assert list(books.charge(budget, use)) == [
        BudgetWarned(**facts),
        BudgetPaused(**facts, soft_limit=Decimal(5)),
    ]
    resumed = replace(books.get(budget.id), status="active")
    assert list(books.put(resumed, SOMEBODY)) == [BudgetResumed(**facts, by=SOMEBODY)]
    facts["balance"] = Decimal(-8)
    assert list(books.charge(books.get(budget.id), use)) == [BudgetExhausted(**facts)]
