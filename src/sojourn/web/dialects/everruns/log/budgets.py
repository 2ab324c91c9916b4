"""What budgets say."""

from decimal import Decimal

from sojourn.domain import budget_events as be
from sojourn.domain.ids import BudgetId
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log.pen import Pen
from sojourn.web.dialects.everruns.wire.event import Data


def warned(pen: Pen, said: be.BudgetWarned) -> None:
    pen.say("budget.warning", _data(said.budget, said.balance, said.limit, said.currency))


def paused(pen: Pen, said: be.BudgetPaused) -> None:
    data = _data(said.budget, said.balance, said.limit, said.currency)
    if said.soft_limit is not None:
        data["soft_limit"] = float(said.soft_limit)
    pen.say("budget.paused", data)


def exhausted(pen: Pen, said: be.BudgetExhausted) -> None:
    pen.say("budget.exhausted", _data(said.budget, said.balance, said.limit, said.currency))


def resumed(pen: Pen, said: be.BudgetResumed) -> None:
    pen.say("budget.resumed", _data(said.budget, said.balance, said.limit, said.currency))


def _data(budget: BudgetId, balance: Decimal, limit: Decimal, currency: be.Currency) -> Data:
    return {
        "budget_id": ids.text("bdgt", budget),
        "balance": float(balance),
        "limit": float(limit),
        "currency": currency,
    }
