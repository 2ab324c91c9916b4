"""Budgets: what a session may use up, what it has used, and how it goes on when that was enough."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.budget import Budget, BudgetEntry, Verdict, check
from sojourn.domain.budget_events import Currency
from sojourn.domain.commands import (
    ChangeBudget,
    ChargeBudget,
    Command,
    CreateBudget,
    ResumeBudgets,
    TopUpBudget,
)
from sojourn.domain.errors import NotFound
from sojourn.domain.ids import BudgetId, OrgId, SessionId, uuid7
from sojourn.domain.kinds import Json
from sojourn.ports import Clock, Store, Tx
from sojourn.service.results import UNSET, Repeat, Result, Unset
from sojourn.service.verbs import Remembered, carry_out, lock, once


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBudget:
    """Amounts of `currency`; above `soft_limit` used the session waits until somebody resumes it."""

    currency: Currency
    limit: Decimal
    soft_limit: Decimal | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetChange:
    """New values; UNSET leaves a field as it is. `active` resumes or enables, `disabled` stops nothing any more."""

    limit: Decimal | Unset = UNSET
    soft_limit: Decimal | Unset | None = UNSET
    metadata: Mapping[str, Json] | Unset = UNSET
    status: Literal["active", "paused", "disabled"] | Unset = UNSET


class Budgets:
    """A budget is read and written under its session's lock, as everything is that decides what its turn may do."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def create(
        self, org: OrgId, session: SessionId, new: NewBudget, by: Actor, repeat: Repeat | None = None
    ) -> Result[Budget]:
        now = self._clock.now()
        budget = Budget(
            id=BudgetId(uuid7()),
            session=session,
            currency=new.currency,
            limit=new.limit,
            soft_limit=new.soft_limit,
            balance=new.limit,
            metadata=new.metadata,
            created_at=now,
            updated_at=now,
        )

        async def verb(tx: Tx) -> Remembered:
            async def create() -> Remembered:
                state = await lock(tx, org, session)
                await carry_out(tx, state, CreateBudget(budget=budget, by=by), now)
                return Remembered({"budget": str(budget.id)})

            return await once(tx, org, repeat, now, create)

        answer = await self._store.write(verb)
        return Result(await self.get(org, BudgetId(UUID(answer.ids["budget"]))), replayed=answer.replayed)

    async def get(self, org: OrgId, budget: BudgetId) -> Budget:
        found = await self._store.reads.get_budget(org, budget)
        # The budgets of a deleted session outlive it until they are purged.
        if found is None or found.session not in await self._store.reads.head_seqs(org, [found.session]):
            raise NotFound("budget", budget)
        return found

    async def list(
        self, org: OrgId, session: SessionId, after: BudgetId | None, limit: int
    ) -> Sequence[Budget]:
        await self._require(org, session)
        return await self._store.reads.list_budgets(org, session, after, limit)

    async def list_all(self, org: OrgId, after: BudgetId | None, limit: int) -> Sequence[Budget]:
        """Those of every session."""
        return await self._store.reads.list_org_budgets(org, after, limit)

    async def ledger(self, org: OrgId, budget: BudgetId, after: int, limit: int) -> Sequence[BudgetEntry]:
        """The entries behind the one of number `after`."""
        await self.get(org, budget)
        return await self._store.reads.list_budget_entries(org, budget, after, limit)

    async def check(self, org: OrgId, budget: BudgetId) -> Verdict:
        return check([await self.get(org, budget)])

    async def check_session(self, org: OrgId, session: SessionId) -> Verdict:
        """What the strictest of the budgets says that hold for the session, its own and those above it."""
        record = await self._store.reads.get_session(org, session)
        if record is None:
            raise NotFound("session", session)
        sessions = (*record.session.kin.ancestors, session)
        return check(await self._store.reads.enabled_budgets(org, sessions))

    async def change(self, org: OrgId, budget: BudgetId, change: BudgetChange, by: Actor) -> Budget:
        def command(found: Budget) -> Command:
            return ChangeBudget(
                budget=found,
                limit=found.limit if isinstance(change.limit, Unset) else change.limit,
                soft_limit=found.soft_limit if isinstance(change.soft_limit, Unset) else change.soft_limit,
                metadata=found.metadata if isinstance(change.metadata, Unset) else change.metadata,
                status=None if isinstance(change.status, Unset) else change.status,
                by=by,
            )

        return (await self._change(org, budget, command, None)).value

    async def disable(self, org: OrgId, budget: BudgetId, by: Actor) -> None:
        await self.change(org, budget, BudgetChange(status="disabled"), by)

    async def top_up(
        self,
        org: OrgId,
        budget: BudgetId,
        amount: Decimal,
        description: str | None,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[Budget]:
        """More to use. What waits for this budget goes on."""

        def command(found: Budget) -> Command:
            return TopUpBudget(budget=found, amount=amount, description=description, by=by)

        return await self._change(org, budget, command, repeat)

    async def charge(
        self,
        org: OrgId,
        budget: BudgetId,
        amount: Decimal,
        description: str | None,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[Budget]:
        """Something was used up that no event of the session tells of."""

        def command(found: Budget) -> Command:
            return ChargeBudget(budget=found, amount=amount, description=description, by=by)

        return await self._change(org, budget, command, repeat)

    async def resume(
        self, org: OrgId, session: SessionId, by: Actor, repeat: Repeat | None = None
    ) -> Result[int]:
        """Let paused budgets be exceeded up to their limits; how many there were."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def resume() -> Remembered:
                state = await lock(tx, org, session)
                paused = sum(
                    budget.status == "paused" and budget.session == session for budget in state.budgets
                )
                if paused:
                    await carry_out(tx, state, ResumeBudgets(by=by), now)
                return Remembered({"resumed": str(paused)}, created=False)

            return await once(tx, org, repeat, now, resume)

        answer = await self._store.write(verb)
        return Result(int(answer.ids["resumed"]), created=False, replayed=answer.replayed)

    async def _change(
        self, org: OrgId, budget: BudgetId, command: Callable[[Budget], Command], repeat: Repeat | None
    ) -> Result[Budget]:
        now = self._clock.now()
        # A budget never changes its session, so the session to lock may be read before the lock.
        session = (await self.get(org, budget)).session

        async def verb(tx: Tx) -> Remembered:
            async def change() -> Remembered:
                state = await lock(tx, org, session)
                found = await tx.get_budget(org, budget)
                if found is None:
                    raise NotFound("budget", budget)
                await carry_out(tx, state, command(found), now)
                return Remembered({"budget": str(budget)}, created=False)

            return await once(tx, org, repeat, now, change)

        answer = await self._store.write(verb)
        return Result(await self.get(org, budget), created=False, replayed=answer.replayed)

    async def _require(self, org: OrgId, session: SessionId) -> None:
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
