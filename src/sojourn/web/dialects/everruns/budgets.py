"""Budgets of sessions in Everruns' format, and back. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

from msgspec import UNSET

from sojourn.domain.budget import MAX_AMOUNT, Action, Budget, BudgetEntry, Source, Verdict
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import OrgId, SessionId
from sojourn.service import results
from sojourn.service.budgets import BudgetChange, NewBudget
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire import budget as wire
from sojourn.web.kit.refusals import RequestRefused
from sojourn.web.kit.values import check_free_form

SUBJECT: Final = "session"
SMALLEST: Final = Decimal("1e-12")
MAX_KEYS: Final = 64
MAX_BYTES: Final = 64 * 1024

_METERS: Final[Mapping[Source, str]] = {"model_call": "llm_tokens", "usage": "llm_tokens"}
_SAYS: Final[Mapping[Action, str]] = {
    "warn": "The budget is nearly used up.",
    "pause": "The budget's soft limit is exceeded: resume the session or top the budget up.",
    "stop": "The budget is used up.",
}
_CODES: Final[Mapping[Action, str]] = {"pause": "budget_paused", "stop": "budget_exhausted"}


class SubjectNotSupported(RequestRefused):
    code: ClassVar[str] = "budget_subject_not_supported"

    def __init__(self, subject: str) -> None:
        super().__init__(f"subject_type: budgets are of sessions here, not of {subject[:100]!r}")


class PeriodNotSupported(RequestRefused):
    code: ClassVar[str] = "budget_period_not_supported"

    def __init__(self) -> None:
        super().__init__("period: a budget is not renewed here; top it up instead")


def subject(new: wire.NewBudget) -> SessionId:
    """The session that the budget is of."""
    if new.subject_type != SUBJECT:
        raise SubjectNotSupported(new.subject_type)
    if new.period is not None:
        raise PeriodNotSupported
    return ids.session(new.subject_id)


def new_budget(new: wire.NewBudget) -> NewBudget:
    return NewBudget(
        currency=new.currency,
        limit=amount("limit", new.limit),
        soft_limit=None if new.soft_limit is None else amount("soft_limit", new.soft_limit),
        metadata=_metadata(new.metadata or {}),
    )


def change(change: wire.BudgetChange) -> BudgetChange:
    soft_limit: Decimal | results.Unset | None = results.UNSET
    if change.soft_limit is not UNSET:
        soft_limit = None if change.soft_limit is None else amount("soft_limit", change.soft_limit)
    return BudgetChange(
        limit=results.UNSET if change.limit is None else amount("limit", change.limit),
        soft_limit=soft_limit,
        metadata=results.UNSET if change.metadata is None else _metadata(change.metadata),
        status=results.UNSET if change.status is None else change.status,
    )


def amount(field: str, number: float) -> Decimal:
    """The number that was written, and not the binary fraction next to it."""
    exact = Decimal(str(number))
    if not SMALLEST <= exact <= MAX_AMOUNT:
        raise InvalidRequest(field, f"must be more than 0 and no more than {MAX_AMOUNT:f}")
    return exact.quantize(SMALLEST).normalize()


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    check_free_form("metadata", value, MAX_KEYS, MAX_BYTES)
    return value


def budget(org: OrgId, budget: Budget) -> wire.Budget:
    return wire.Budget(
        id=ids.text("bdgt", budget.id),
        organization_id=ids.text("org", org),
        subject_id=ids.text("session", budget.session),
        currency=budget.currency,
        limit=float(budget.limit),
        balance=float(budget.balance),
        status=budget.status,
        metadata=dict(budget.metadata),
        created_at=stamp(budget.created_at),
        updated_at=stamp(budget.updated_at),
        soft_limit=UNSET if budget.soft_limit is None else float(budget.soft_limit),
    )


def entry(entry: BudgetEntry) -> wire.LedgerEntry:
    unpriced = "The price of the model is not known." if entry.amount is None else None
    said = entry.description or unpriced
    return wire.LedgerEntry(
        id=str(entry.id),
        budget_id=ids.text("bdgt", entry.budget),
        amount=0.0 if entry.amount is None else float(entry.amount),
        meter_source=_METERS.get(entry.source, entry.source),
        session_id=ids.text("session", entry.session),
        created_at=stamp(entry.at),
        ref_type=UNSET if entry.turn is None else "turn",
        ref_id=UNSET if entry.turn is None else ids.text("turn", entry.turn),
        description=UNSET if said is None else said,
    )


def check(verdict: Verdict) -> wire.BudgetCheck:
    found = verdict.budget
    if found is None:
        return wire.BudgetCheck(action=verdict.action)
    return wire.BudgetCheck(
        action=verdict.action,
        budget_id=ids.text("bdgt", found.id),
        balance=float(found.balance),
        currency=found.currency,
        message=_SAYS.get(verdict.action, UNSET),
        error_code=_CODES.get(verdict.action, UNSET),
    )
