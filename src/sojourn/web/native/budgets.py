"""Handlers of budgets, and their values on the wire."""

from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from sojourn.domain.budget import Budget, BudgetEntry, Verdict
from sojourn.domain.ids import BudgetId
from sojourn.service import results
from sojourn.service.budgets import BudgetChange, NewBudget
from sojourn.service.results import Result
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.native import budget_wire, inbound, queries, wire
from sojourn.web.native.route import AnyCall, Call


class BudgetPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last budget of a page."""

    id: UUID


class EntryPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last entry of a page."""

    number: Annotated[int, Meta(ge=0, lt=2**62)]


CURSORS: Final = Cursors("budgets", BudgetPlace)
ENTRY_CURSORS: Final = Cursors("ledger", EntryPlace)


async def create(call: Call[queries.NoQuery, budget_wire.NewBudget]) -> Response:
    body = call.body
    new = NewBudget(
        currency=body.currency,
        limit=Decimal(body.limit),
        soft_limit=_amount_or_none(body.soft_limit),
        metadata=inbound.free_form("metadata", body.metadata),
    )
    return answer(await call.services.budgets.create(call.org, call.session, new, call.by, call.repeat), 201)


async def page(call: Call[queries.Page, wire.Nothing]) -> Response:
    query, session = call.query, call.session
    after = None
    if query.cursor is not UNSET:
        after = BudgetId(CURSORS.read(query.cursor, call.org, str(session)).id)
    rows = await call.services.budgets.list(call.org, session, after, query.limit + 1)
    budgets, last = cut(rows, query.limit)
    cursor = None if last is None else CURSORS.write(BudgetPlace(last.id), call.org, str(session))
    return json_response(budget_wire.Budgets([outbound(budget) for budget in budgets], cursor))


async def page_all(call: Call[queries.Page, wire.Nothing]) -> Response:
    query = call.query
    after = None if query.cursor is UNSET else BudgetId(CURSORS.read(query.cursor, call.org).id)
    budgets, last = cut(await call.services.budgets.list_all(call.org, after, query.limit + 1), query.limit)
    cursor = None if last is None else CURSORS.write(BudgetPlace(last.id), call.org)
    return json_response(budget_wire.Budgets([outbound(budget) for budget in budgets], cursor))


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(Result(await call.services.budgets.get(call.org, budget_id(call))))


async def update(call: Call[queries.NoQuery, budget_wire.BudgetChange]) -> Response:
    body = call.body
    metadata = results.UNSET if body.metadata is UNSET else inbound.free_form("metadata", body.metadata)
    change = BudgetChange(
        limit=results.UNSET if body.limit is UNSET else Decimal(body.limit),
        soft_limit=results.UNSET if body.soft_limit is UNSET else _amount_or_none(body.soft_limit),
        metadata=metadata,
        status=results.UNSET if body.status is UNSET else body.status,
    )
    return answer(Result(await call.services.budgets.change(call.org, budget_id(call), change, call.by)))


async def disable(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    await call.services.budgets.disable(call.org, budget_id(call), call.by)
    return NO_CONTENT


async def top_up(call: Call[queries.NoQuery, budget_wire.Movement]) -> Response:
    amount, why = Decimal(call.body.amount), call.body.description
    budgets = call.services.budgets
    return answer(await budgets.top_up(call.org, budget_id(call), amount, why, call.by, call.repeat))


async def charge(call: Call[queries.NoQuery, budget_wire.Movement]) -> Response:
    amount, why = Decimal(call.body.amount), call.body.description
    budgets = call.services.budgets
    return answer(await budgets.charge(call.org, budget_id(call), amount, why, call.by, call.repeat))


async def ledger(call: Call[queries.Page, wire.Nothing]) -> Response:
    query, budget = call.query, budget_id(call)
    after = 0
    if query.cursor is not UNSET:
        after = ENTRY_CURSORS.read(query.cursor, call.org, str(budget)).number
    rows = await call.services.budgets.ledger(call.org, budget, after, query.limit + 1)
    entries, last = cut(rows, query.limit)
    cursor = None if last is None else ENTRY_CURSORS.write(EntryPlace(last.number), call.org, str(budget))
    return json_response(budget_wire.Ledger([_entry(entry) for entry in entries], cursor))


async def check(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return _verdict(await call.services.budgets.check(call.org, budget_id(call)))


async def check_session(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return _verdict(await call.services.budgets.check_session(call.org, call.session))


async def resume(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    result = await call.services.budgets.resume(call.org, call.session, call.by, call.repeat)
    return json_response(budget_wire.Resumed(result.value), 200, *replayed(result))


def budget_id(call: AnyCall) -> BudgetId:
    return BudgetId(call.id("budget"))


def answer(result: Result[Budget], status: int = 200) -> Response:
    return json_response(outbound(result.value), status, *replayed(result))


def outbound(budget: Budget) -> budget_wire.Budget:
    return budget_wire.Budget(
        id=budget.id,
        session=budget.session,
        currency=budget.currency,
        limit=f"{budget.limit:f}",
        soft_limit=_text_or_none(budget.soft_limit),
        balance=f"{budget.balance:f}",
        status=budget.status,
        metadata=dict(budget.metadata),
        created_at=budget.created_at,
        updated_at=budget.updated_at,
    )


def _entry(entry: BudgetEntry) -> budget_wire.BudgetEntry:
    return budget_wire.BudgetEntry(
        id=entry.id,
        budget=entry.budget,
        number=entry.number,
        amount=_text_or_none(entry.amount),
        source=entry.source,
        session=entry.session,
        turn=entry.turn,
        call=entry.call,
        seq=entry.seq,
        description=entry.description,
        at=entry.at,
    )


def _verdict(verdict: Verdict) -> Response:
    budget = None if verdict.budget is None else outbound(verdict.budget)
    return json_response(budget_wire.BudgetCheck(verdict.action, budget))


def _text_or_none(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _amount_or_none(amount: str | int | None) -> Decimal | None:
    return None if amount is None else Decimal(amount)
