"""What the vendor's client can do with the budgets of a session. Runs in the client's own environment."""

# pyright: basic, reportMissingImports=false
# The client is not installed where the types are checked.

import asyncio
import json
import sys
from typing import Any

from everruns_sdk import Everruns
from everruns_sdk.errors import ApiError


async def main(base: str, key: str, session: str) -> dict[str, Any]:
    async with Everruns(api_key=key, base_url=base) as client:
        budgets = client.budgets
        made = await budgets.create("session", session, "usd", 5, soft_limit=4, metadata={"a": 1})
        of_session = await client.sessions.budgets(session)
        listed = await budgets.list(subject_type="session", subject_id=session)
        changed = await budgets.update(made.id, limit=6)
        topped = await budgets.top_up(made.id, 2.5, description="more")
        ledger = await budgets.ledger(made.id, limit=10, offset=0)
        checks = [await budgets.check(made.id), await client.sessions.budget_check(session)]
        resumed = await client.sessions.resume(session)
        everything = await budgets.list()
        await budgets.delete(made.id)
        try:
            await budgets.create("agent", "agent_x", "usd", 5)
            refused = []
        except ApiError as error:
            refused = [error.status_code, error.code]
        return {
            "made": made.model_dump(exclude_none=True),
            "of_session": [budget.id for budget in of_session],
            "listed": [budget.id for budget in listed],
            "all": [budget.id for budget in everything],
            "changed": [changed.limit, changed.balance],
            "topped": topped.balance,
            "ledger": [[entry.amount, entry.meter_source, entry.description] for entry in ledger],
            "checks": [check.action for check in checks],
            "resumed": resumed.resumed_budgets,
            "deleted": (await budgets.get(made.id)).status,
            "refused": refused,
        }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
