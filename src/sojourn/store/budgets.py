"""Budgets and their ledgers: rows to values and back, and the verbs of both."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.ids import BudgetId, OrgId, SessionId, TurnId
from sojourn.domain.session import Session
from sojourn.store.db import Db
from sojourn.store.rows import (
    Row,
    to_instant,
    to_instant_or_none,
    to_json_or_none,
    to_micros,
    to_micros_or_none,
)
from sojourn.store.where import NumberedBinder

_BEFORE_ALL: Final = UUID(int=0)
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class BudgetReads:
    _db: Db

    async def get_budget(self, org: OrgId, budget: BudgetId) -> Budget | None:
        row = await self._db.one("get_budget", {"org": org, "id": budget})
        return None if row is None else budget_of(row)

    async def list_budgets(
        self, org: OrgId, session: SessionId, after: BudgetId | None, limit: int
    ) -> Sequence[Budget]:
        params = {"org": org, "subject": session, "after": after or _BEFORE_ALL, "limit": limit}
        return [budget_of(row) for row in await self._db.all("list_budgets", params)]

    async def list_org_budgets(self, org: OrgId, after: BudgetId | None, limit: int) -> Sequence[Budget]:
        params = {"org": org, "after": after or _BEFORE_ALL, "limit": limit}
        return [budget_of(row) for row in await self._db.all("list_org_budgets", params)]

    async def enabled_budgets(self, org: OrgId, sessions: Sequence[SessionId]) -> Sequence[Budget]:
        return await self._enabled_budgets(org, sessions, "")

    async def _enabled_budgets(
        self, org: OrgId, sessions: Sequence[SessionId], lock: str
    ) -> Sequence[Budget]:
        bind = NumberedBinder(self._db.dialect)
        text = (
            "SELECT id, subject, currency, amount, soft_amount, balance, status, metadata, entries, running_since,"
            f" created_at, updated_at FROM budgets WHERE org = {bind(org)}"
            f" AND subject IN ({', '.join(bind(session) for session in sessions)})"
            f" AND status <> 'disabled' ORDER BY id{lock}"
        )
        return [budget_of(row) for row in await self._db.select(text, bind.values)]

    async def list_budget_entries(
        self, org: OrgId, budget: BudgetId, after: int, limit: int
    ) -> Sequence[BudgetEntry]:
        params = {"org": org, "budget": budget, "after": after, "limit": limit}
        return [_entry_of(row) for row in await self._db.all("list_budget_entries", params)]


class BudgetWrites(BudgetReads):
    async def lock_budgets(self, org: OrgId, session: Session) -> Sequence[Budget]:
        """Those that hold for a session whose row is locked.

        Sessions of one tree write to one budget, each under its own row's lock: so the budgets' rows are locked too,
        after the session's, and in the order of their ids. Nobody who holds one waits for a session's row, nor for a
        budget of a lower id, and so nobody waits in a circle.
        """
        lock = " FOR UPDATE" if self._db.dialect == "postgres" else ""
        return await self._enabled_budgets(org, (*session.kin.ancestors, session.id), lock)

    async def write_budget(self, org: OrgId, budget: Budget) -> None:
        await self._db.run("write_budget", {"org": org, **_budget_params(budget)})

    async def append_budget_entries(self, org: OrgId, entries: Sequence[BudgetEntry]) -> None:
        await self._db.many(
            "insert_budget_entry", [{"org": org, **_entry_params(entry)} for entry in entries]
        )


def budget_of(row: Row) -> Budget:
    (
        id, subject, currency, amount, soft_amount, balance, status, metadata, entries, running_since, created_at,
        updated_at,
    ) = row  # fmt: skip
    return Budget(
        id=BudgetId(UUID(bytes=id)),
        session=SessionId(UUID(bytes=subject)),
        currency=currency,
        limit=Decimal(amount),
        soft_limit=None if soft_amount is None else Decimal(soft_amount),
        balance=Decimal(balance),
        status=status,
        metadata={} if metadata is None else _decode_object(metadata),
        entries=entries,
        running_since=to_instant_or_none(running_since),
        created_at=to_instant(created_at),
        updated_at=to_instant(updated_at),
    )


def _budget_params(budget: Budget) -> dict[str, object]:
    return {
        "id": budget.id,
        "subject": budget.session,
        "currency": budget.currency,
        "amount": f"{budget.limit:f}",
        "soft_amount": None if budget.soft_limit is None else f"{budget.soft_limit:f}",
        "balance": f"{budget.balance:f}",
        "status": budget.status,
        "metadata": to_json_or_none(budget.metadata),
        "entries": budget.entries,
        "running_since": to_micros_or_none(budget.running_since),
        "created_at": to_micros(budget.created_at),
        "updated_at": to_micros(budget.updated_at),
    }


def _entry_of(row: Row) -> BudgetEntry:
    budget, number, amount, source, session, turn, call, seq, description, at = row
    return BudgetEntry(
        budget=BudgetId(UUID(bytes=budget)),
        number=number,
        amount=None if amount is None else Decimal(amount),
        source=source,
        session=SessionId(UUID(bytes=session)),
        turn=None if turn is None else TurnId(UUID(bytes=turn)),
        call=call,
        seq=seq,
        description=description,
        at=to_instant(at),
    )


def _entry_params(entry: BudgetEntry) -> dict[str, object]:
    return {
        "budget": entry.budget,
        "number": entry.number,
        "amount": None if entry.amount is None else f"{entry.amount:f}",
        "source": entry.source,
        "session": entry.session,
        "turn": entry.turn,
        "call": entry.call,
        "seq": entry.seq,
        "description": entry.description,
        "at": to_micros(entry.at),
    }
