"""What a log says of budgets; part of the closed union of `events.py`. Amounts are of the budget's currency."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from sojourn.domain.actor import Actor
from sojourn.domain.ids import BudgetId

# `credits` are thousands of tokens, `seconds` those for which a worker holds a turn; nothing meters `custom`.
Currency = Literal["tokens", "credits", "usd", "turns", "tool_calls", "seconds", "custom"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCreated:
    type: ClassVar[str] = "budget.created"
    v: ClassVar[int] = 1
    budget: BudgetId
    currency: Currency
    limit: Decimal
    soft_limit: Decimal | None = None
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetChanged:
    """New limits, another status, or a top-up, and how the budget stands after it."""

    type: ClassVar[str] = "budget.changed"
    v: ClassVar[int] = 1
    budget: BudgetId
    currency: Currency
    limit: Decimal
    soft_limit: Decimal | None = None
    balance: Decimal
    status: Literal["active", "paused", "exhausted", "disabled"]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetWarned:
    """A fifth of the limit or less is left."""

    type: ClassVar[str] = "budget.warned"
    v: ClassVar[int] = 1
    budget: BudgetId
    currency: Currency
    limit: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPaused:
    """More is used than the soft limit: no model is called until somebody resumes, tops up or raises the limit."""

    type: ClassVar[str] = "budget.paused"
    v: ClassVar[int] = 1
    budget: BudgetId
    currency: Currency
    limit: Decimal
    soft_limit: Decimal | None = None
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetExhausted:
    """Nothing is left: a turn ends before its next model call, with the reason `budget`."""

    type: ClassVar[str] = "budget.exhausted"
    v: ClassVar[int] = 1
    budget: BudgetId
    currency: Currency
    limit: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetResumed:
    """It stops nothing any more."""

    type: ClassVar[str] = "budget.resumed"
    v: ClassVar[int] = 1
    budget: BudgetId
    currency: Currency
    limit: Decimal
    balance: Decimal
    by: Actor


BudgetEvent = BudgetCreated | BudgetChanged | BudgetWarned | BudgetPaused | BudgetExhausted | BudgetResumed
