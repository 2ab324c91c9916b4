"""The store's verbs for budgets, which `Reads` and `Tx` have with the others."""

from collections.abc import Sequence
from typing import Protocol

from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.ids import BudgetId, OrgId, SessionId
from sojourn.domain.session import Session


class BudgetReads(Protocol):
    async def get_budget(self, org: OrgId, budget: BudgetId) -> Budget | None: ...
    async def list_budgets(
        self, org: OrgId, session: SessionId, after: BudgetId | None, limit: int
    ) -> Sequence[Budget]:
        """A session's, in the order in which they were made, the disabled ones too."""
        ...

    async def list_org_budgets(self, org: OrgId, after: BudgetId | None, limit: int) -> Sequence[Budget]:
        """Those of every session that there is, in the order in which they were made."""
        ...

    async def enabled_budgets(self, org: OrgId, sessions: Sequence[SessionId]) -> Sequence[Budget]:
        """Those of the sessions that may stop what they do, in the order in which they were made."""
        ...

    async def list_budget_entries(
        self, org: OrgId, budget: BudgetId, after: int, limit: int
    ) -> Sequence[BudgetEntry]:
        """A ledger behind the entry of number `after`."""
        ...


class BudgetWrites(Protocol):
    async def lock_budgets(self, org: OrgId, session: Session) -> Sequence[Budget]:
        """Those that may stop the locked session, its own and those of the sessions above it, locked as it is."""
        ...

    async def write_budget(self, org: OrgId, budget: Budget) -> None:
        """Insert it, or write what may change of it."""
        ...

    async def append_budget_entries(self, org: OrgId, entries: Sequence[BudgetEntry]) -> None: ...
