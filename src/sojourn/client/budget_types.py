"""What the native API sends and takes of budgets. Amounts are of the budget's currency."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

from sojourn.client.json import Json
from sojourn.client.wire import Wire

Currency = Literal["tokens", "credits", "usd", "turns", "tool_calls", "seconds", "custom"]

BudgetStatus = Literal["active", "paused", "exhausted", "disabled"]


class Budget(Wire, frozen=True, kw_only=True):
    """Amounts are of `currency`. `balance` is what is left; the session waits above `soft_limit` used."""

    id: UUID
    session: UUID
    currency: Currency
    limit: Decimal
    soft_limit: Decimal | None
    balance: Decimal
    status: BudgetStatus
    metadata: dict[str, Json]
    created_at: datetime
    updated_at: datetime


class BudgetEntry(Wire, frozen=True, kw_only=True):
    """`amount` was used up; it is below zero for a top-up, and None for a use whose price is not known."""

    id: UUID
    budget: UUID
    number: int
    amount: Decimal | None
    source: str
    session: UUID
    turn: UUID | None
    call: int | None
    seq: int | None
    description: str | None
    at: datetime


class BudgetCheck(Wire, frozen=True, kw_only=True):
    """What is said of the next model call, and the budget that says so; `warn` still allows it."""

    action: Literal["continue", "warn", "pause", "stop"]
    budget: Budget | None


class NewBudget(TypedDict, total=False):
    """`currency` and `limit` are needed. Amounts are exact to twelve places."""

    currency: Currency
    limit: Decimal | int
    soft_limit: Decimal | int | None
    metadata: Mapping[str, Json]


class BudgetChange(TypedDict, total=False):
    """A higher `limit` and the status `active` resume what is paused."""

    limit: Decimal | int
    soft_limit: Decimal | int | None
    metadata: Mapping[str, Json]
    status: Literal["active", "paused", "disabled"]


class Resumed(Wire, frozen=True, kw_only=True):
    resumed: int
