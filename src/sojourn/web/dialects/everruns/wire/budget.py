"""A budget as Everruns shows it, and what a client may say of one. Amounts are numbers of the budget's currency."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Amount = int | float
Currency = Literal["usd", "tokens", "credits", "custom", "turns", "tool_calls", "seconds"]
Status = Literal["active", "paused", "exhausted", "disabled"]


class NewBudget(Struct):
    subject_type: str
    subject_id: str
    currency: Currency
    limit: Amount
    soft_limit: Amount | None = None
    period: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None


class BudgetChange(Struct):
    """What is absent stays as it is; a soft limit that is null is taken away."""

    limit: Amount | None = None
    soft_limit: Amount | UnsetType | None = UNSET
    status: Literal["active", "paused", "disabled"] | None = None
    metadata: dict[str, Any] | None = None


class TopUp(Struct):
    amount: Amount
    description: Annotated[str, Meta(max_length=1_000)] | None = None


class BudgetList(Struct):
    subject_type: str | UnsetType = UNSET
    subject_id: str | UnsetType = UNSET


class LedgerPage(Struct):
    limit: Annotated[int, Meta(ge=1, le=1_000)] = 50
    offset: Annotated[int, Meta(ge=0, le=2**53)] = 0


class Budget(Struct, kw_only=True):
    id: str
    organization_id: str
    subject_id: str
    currency: Currency
    limit: float
    balance: float
    status: Status
    metadata: dict[str, Any]
    created_at: str
    updated_at: str
    soft_limit: float | UnsetType = UNSET
    subject_type: Literal["session"] = "session"


class LedgerEntry(Struct, kw_only=True):
    """`amount` was used up; that of a top-up is below zero."""

    id: str
    budget_id: str
    amount: float
    meter_source: str
    session_id: str
    created_at: str
    ref_type: str | UnsetType = UNSET
    ref_id: str | UnsetType = UNSET
    description: str | UnsetType = UNSET


class BudgetCheck(Struct, kw_only=True):
    """`warn` still allows the next model call. The rest is of the budget that says anything but `continue`."""

    action: Literal["continue", "warn", "pause", "stop"]
    budget_id: str | UnsetType = UNSET
    balance: float | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    message: str | UnsetType = UNSET
    error_code: str | UnsetType = UNSET


class Resumed(Struct):
    session_id: str
    resumed_budgets: int
