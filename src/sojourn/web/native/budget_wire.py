"""Budgets in the native API's own format. Amounts are decimal strings of the budget's currency."""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.native.wire import Count, Instant, Name, Object

Currency = Literal["tokens", "credits", "usd", "turns", "tool_calls", "seconds", "custom"]
BudgetStatus = Literal["active", "paused", "exhausted", "disabled"]
# No floats: what is counted to the cent is not rounded on its way. A million millions is the most of anything.
Amount = (
    Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$(?!\n)", description="A decimal number.")]
    | Annotated[int, Meta(ge=1, le=10**12)]
)


class NewBudget(Struct, forbid_unknown_fields=True):
    """More than 0. `soft_limit`, no more than `limit`, is the amount used above which the session waits."""

    currency: Currency
    limit: Amount
    soft_limit: Amount | None = None
    metadata: Object = {}


class BudgetChange(Struct, forbid_unknown_fields=True):
    """What is left out stays as it is. A higher `limit` and the status `active` resume what is paused."""

    limit: Amount | UnsetType = UNSET
    soft_limit: Amount | UnsetType | None = UNSET
    metadata: Object | UnsetType = UNSET
    status: Literal["active", "paused", "disabled"] | UnsetType = UNSET


class Movement(Struct, forbid_unknown_fields=True):
    """More than 0."""

    amount: Amount
    description: Name | None = None


class Budget(Struct):
    """`balance` is what is left of the limit and of top-ups; below zero if the last call took more than was left."""

    id: UUID
    session: UUID
    currency: Currency
    limit: str
    soft_limit: str | None
    balance: str
    status: BudgetStatus
    metadata: dict[str, Any]
    created_at: Instant
    updated_at: Instant


class Budgets(Struct):
    data: list[Budget]
    next_cursor: str | None


class BudgetEntry(Struct):
    """An entry of a ledger. A top-up's `amount` is below zero; null is a use whose price is not known."""

    id: UUID
    budget: UUID
    number: Count
    amount: str | None
    source: Literal["model_call", "usage", "tool_call", "turn", "time", "charge", "top_up"]
    session: UUID
    turn: UUID | None
    call: int | None
    seq: int | None
    description: str | None
    at: Instant


class Ledger(Struct):
    data: list[BudgetEntry]
    next_cursor: str | None


class BudgetCheck(Struct):
    """What is said of the next model call: `warn` still allows it. `budget` is the one that says so."""

    action: Literal["continue", "warn", "pause", "stop"]
    budget: Budget | None


class Resumed(Struct):
    """How many budgets were paused."""

    resumed: Count
