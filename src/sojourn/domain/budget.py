"""Budgets: how much a session may use up of something, and where that stands.

Amounts are exact decimals of the budget's currency, to twelve places.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Context, Decimal
from typing import Final, Literal
from uuid import uuid5

from sojourn.domain.budget_events import Currency
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import BudgetEntryId, BudgetId, SessionId, TurnId
from sojourn.domain.kinds import Json

BudgetStatus = Literal["active", "paused", "exhausted", "disabled"]
Action = Literal["continue", "warn", "pause", "stop"]
Source = Literal["model_call", "usage", "tool_call", "turn", "time", "charge", "top_up"]

MAX_AMOUNT: Final = Decimal(10**12)
# What is left of the limit when a warning is said.
WARN_AT: Final = Decimal("0.2")
_SMALLEST: Final = Decimal("1e-12")
_WIDE: Final = Context(prec=60)
_SEVERITY: Final[Mapping[Action, int]] = {"continue": 0, "warn": 1, "pause": 2, "stop": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """`balance` is what is left, below zero after an overshoot; `soft_limit` the amount used above which it pauses.

    `entries` counts the entries of its ledger. `running_since` is from when on a budget of seconds counts the time
    of held turns. It holds for the tree below its session: `session` is whose it is, and whoever uses it up is named by
    the entries.
    """

    id: BudgetId
    session: SessionId
    currency: Currency
    limit: Decimal
    balance: Decimal
    created_at: datetime
    updated_at: datetime
    soft_limit: Decimal | None = None
    status: BudgetStatus = "active"
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])
    entries: int = 0
    running_since: datetime | None = None

    @property
    def used(self) -> Decimal:
        return self.limit - self.balance

    @property
    def is_low(self) -> bool:
        return self.balance <= self.limit * WARN_AT


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetEntry:
    """An entry of a budget's ledger, numbered from 1. `amount` was used up; that of a top-up is below zero.

    It is None where what was used has no known price: nothing is charged for that, and nothing guessed. `session` is
    the one that used it, `call` the model call within `turn`, `seq` the event that reported the use.
    """

    budget: BudgetId
    number: int
    amount: Decimal | None
    source: Source
    session: SessionId
    at: datetime
    turn: TurnId | None = None
    call: int | None = None
    seq: int | None = None
    description: str | None = None

    @property
    def id(self) -> BudgetEntryId:
        """Its place as one id, the same whenever it is asked for."""
        return BudgetEntryId(uuid5(self.budget, str(self.number)))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What budgets say of the next call; `budget` is the one that says it, None while all say `continue`."""

    action: Action
    budget: Budget | None = None

    @property
    def allows_calls(self) -> bool:
        return self.action in ("continue", "warn")


NO_OBJECTION: Final = Verdict("continue")


def exact(amount: Decimal) -> Decimal:
    """To twelve places, and a whole number without an exponent."""
    short = amount.quantize(_SMALLEST, context=_WIDE).normalize(_WIDE)
    exponent = short.as_tuple().exponent
    return short.quantize(Decimal(1), context=_WIDE) if isinstance(exponent, int) and exponent > 0 else short


def check_limits(limit: Decimal, soft_limit: Decimal | None) -> None:
    """InvalidRequest unless 0 < soft limit <= limit <= MAX_AMOUNT."""
    check_amount("limit", limit)
    if soft_limit is None:
        return
    check_amount("soft_limit", soft_limit)
    if soft_limit > limit:
        raise InvalidRequest("soft_limit", "must not be more than the limit")


def check_amount(name: str, amount: Decimal) -> None:
    if not 0 < amount <= MAX_AMOUNT:
        raise InvalidRequest(name, f"must be more than 0 and no more than {MAX_AMOUNT:f}")


def charged(budget: Budget, amount: Decimal) -> Budget:
    """The budget after a use. It pauses when the soft limit is crossed, not for as long as it is exceeded.

    That is why a paused budget that somebody resumes goes on until the hard limit.
    """
    after = replace(budget, balance=exact(budget.balance - amount))
    if after.status == "disabled":
        return after
    if after.balance <= 0:
        return replace(after, status="exhausted")
    soft = budget.soft_limit
    if soft is not None and budget.used <= soft < after.used:
        return replace(after, status="paused")
    return after


def topped_up(budget: Budget, amount: Decimal) -> Budget:
    """More to use: whatever stopped it, it is active again as soon as anything is left."""
    after = replace(budget, balance=exact(budget.balance + amount))
    return replace(after, status="active") if after.status != "disabled" and after.balance > 0 else after


def limited(budget: Budget, limit: Decimal, soft_limit: Decimal | None) -> Budget:
    """New limits for the same use, judged anew; a higher limit resumes what was paused."""
    if (limit, soft_limit) == (budget.limit, budget.soft_limit):
        return budget
    balance = exact(budget.balance + limit - budget.limit)
    after = replace(budget, limit=limit, soft_limit=soft_limit, balance=balance)
    return after if after.status == "disabled" else judged(after, is_raised=limit > budget.limit)


def judged(budget: Budget, is_raised: bool = False) -> Budget:
    """The status that limits and balance alone imply. `is_raised` lets the soft limit be exceeded."""
    if budget.balance <= 0:
        return replace(budget, status="exhausted")
    soft = budget.soft_limit
    if soft is not None and budget.used > soft and not is_raised:
        return replace(budget, status="paused")
    return replace(budget, status="active")


def check(budgets: Iterable[Budget]) -> Verdict:
    """The strictest of what the budgets say."""
    return max(
        (_verdict(budget) for budget in budgets),
        key=lambda verdict: _SEVERITY[verdict.action],
        default=NO_OBJECTION,
    )


def _verdict(budget: Budget) -> Verdict:
    match budget.status:
        case "disabled":
            return NO_OBJECTION
        case "exhausted":
            return Verdict("stop", budget)
        case "paused":
            return Verdict("pause", budget)
        case "active":
            return Verdict("warn", budget) if budget.is_low else NO_OBJECTION
