# Made from src/sojourn/client/budgets.py by scripts/twin; change that one.
"""The verbs of the native API for budgets."""

from collections.abc import Generator
from decimal import Decimal
from typing import Unpack
from uuid import UUID

from sojourn.client.budget_types import Budget, BudgetChange, BudgetCheck, BudgetEntry, NewBudget, Resumed
from sojourn.client.request import Request, post
from sojourn.client.sync.calls import Calls
from sojourn.client.types import Page


class BudgetCalls(Calls):
    """What sessions may use up."""

    def create_budget(
        self, session: UUID, *, idempotency_key: str | None = None, **new: Unpack[NewBudget]
    ) -> Budget:
        """Needs a `currency` and a `limit`; LimitExceeded if the session has too many already."""
        request = post(f"/sessions/{session}/budgets", _plain(new), idempotency_key)
        return self._transport.fetch(request, Budget)

    def list_budgets(self, session: UUID, page_size: int = 100) -> Generator[Budget, None]:
        """In the order in which they were made, the disabled ones too."""
        params = [("limit", str(page_size))]
        return self._all(f"/sessions/{session}/budgets", params, Page[Budget])

    def get_budget(self, budget: UUID) -> Budget:
        return self._transport.fetch(Request("GET", f"/budgets/{budget}"), Budget)

    def update_budget(self, budget: UUID, **change: Unpack[BudgetChange]) -> Budget:
        """Conflict for the status of a budget of which nothing is left."""
        request = Request("PATCH", f"/budgets/{budget}", (), _plain(change))
        return self._transport.fetch(request, Budget)

    def disable_budget(self, budget: UUID) -> None:
        """It stops nothing any more, and its ledger stays."""
        self._transport.perform(Request("DELETE", f"/budgets/{budget}"))

    def top_up_budget(
        self,
        budget: UUID,
        amount: Decimal | int,
        description: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Budget:
        """More to use; what waits for the budget goes on. Conflict if it is disabled."""
        body = {
            "amount": f"{amount:f}" if isinstance(amount, Decimal) else amount,
            "description": description,
        }
        return self._transport.fetch(post(f"/budgets/{budget}/top-up", body, idempotency_key), Budget)

    def charge_budget(
        self,
        budget: UUID,
        amount: Decimal | int,
        description: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Budget:
        """Take what the session's log does not tell of. Conflict if it is disabled."""
        body = {
            "amount": f"{amount:f}" if isinstance(amount, Decimal) else amount,
            "description": description,
        }
        return self._transport.fetch(post(f"/budgets/{budget}/charge", body, idempotency_key), Budget)

    def list_budget_entries(self, budget: UUID, page_size: int = 100) -> Generator[BudgetEntry, None]:
        """What was charged, and the top-ups, in their order."""
        params = [("limit", str(page_size))]
        return self._all(f"/budgets/{budget}/ledger", params, Page[BudgetEntry])

    def check_budget(self, budget: UUID) -> BudgetCheck:
        return self._transport.fetch(Request("GET", f"/budgets/{budget}/check"), BudgetCheck)

    def check_budgets(self, session: UUID) -> BudgetCheck:
        """What the strictest of the session's budgets says of its next model call."""
        return self._transport.fetch(Request("GET", f"/sessions/{session}/budget-check"), BudgetCheck)

    def resume_session(self, session: UUID) -> int:
        """Let the session go on beyond the soft limits that paused it; how many budgets had."""
        return (self._transport.fetch(post(f"/sessions/{session}/resume"), Resumed)).resumed


def _plain(fields: NewBudget | BudgetChange) -> dict[str, object]:
    """Amounts as the wire has them: without an exponent."""
    return {name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in fields.items()}
