"""Budgets and their ledgers."""

from dataclasses import replace
from decimal import Decimal

import pytest

from sojourn.domain.budget import Budget
from sojourn.domain.ids import BudgetId, OrgId, TurnId, uuid7
from sojourn.domain.kin import Kin
from sojourn.domain.session import Session
from sojourn.ports import Store, Tx
from tests.contract.store.make import (
    NO_USAGE,
    ORG,
    a_budget,
    a_budget_entry,
    a_session,
    at,
    insert,
    insert_org,
    locked,
    record,
    session_id,
)

ELSEWHERE = OrgId(uuid7())


@pytest.fixture
async def session(store: Store) -> Session:
    await insert_org(store)
    return await insert(store)


async def write(store: Store, *budgets: Budget) -> None:
    async def verb(tx: Tx) -> None:
        for budget in budgets:
            await tx.write_budget(ORG, budget)

    await store.write(verb)


async def test_a_budget_reads_back_as_it_was_written(store: Store, session: Session) -> None:
    budget = a_budget(
        session.id,
        currency="usd",
        limit=Decimal("999999999999.999999999999"),
        soft_limit=Decimal("0.000000000001"),
        balance=Decimal("-1000000000000.5"),
        status="paused",
        metadata={"a": [1, None]},
        entries=3,
        running_since=at(1),
    )
    await write(store, budget)
    assert await store.reads.get_budget(ORG, budget.id) == budget
    assert await store.reads.get_budget(ELSEWHERE, budget.id) is None
    assert await store.reads.get_budget(ORG, BudgetId(uuid7())) is None
    changed = replace(
        budget,
        limit=Decimal(7),
        soft_limit=None,
        balance=Decimal(2),
        status="active",
        metadata={},
        entries=4,
        running_since=None,
        updated_at=at(5),
    )
    await write(store, changed)
    assert await store.reads.get_budget(ORG, budget.id) == changed


async def test_a_sessions_budgets_are_listed_in_their_order_in_pages(store: Store, session: Session) -> None:
    budgets = [a_budget(session.id) for _ in range(3)]
    other = a_budget(session_id())
    await write(store, *reversed(budgets), other)
    assert await store.reads.list_budgets(ORG, session.id, None, 2) == budgets[:2]
    assert await store.reads.list_budgets(ORG, session.id, budgets[1].id, 2) == budgets[2:]
    assert await store.reads.list_budgets(ELSEWHERE, session.id, None, 2) == []


async def test_an_organisations_budgets_are_those_of_the_sessions_that_there_are(
    store: Store, session: Session
) -> None:
    other = await insert(store)
    budgets = [a_budget(each.id) for each in (session, other, session)]
    await write(store, *budgets, a_budget(session_id()))
    assert await store.reads.list_org_budgets(ORG, None, 2) == budgets[:2]
    assert await store.reads.list_org_budgets(ORG, budgets[1].id, 10) == budgets[2:]
    assert await store.reads.list_org_budgets(ELSEWHERE, None, 10) == []


async def test_a_locked_session_brings_its_enabled_budgets(store: Store, session: Session) -> None:
    enabled, disabled = a_budget(session.id), a_budget(session.id, status="disabled")
    await write(store, enabled, disabled)
    assert (await locked(store, session.id)).budgets == ()
    counted = replace(session, budgets=1)
    await store.write(lambda tx: tx.write_session(counted, session.fence, NO_USAGE))
    state = await locked(store, session.id)
    assert (state.session.budgets, state.budgets) == (1, (enabled,))
    assert await store.reads.enabled_budgets(ORG, [session.id]) == [enabled]
    record = await store.reads.get_session(ORG, session.id)
    assert record is not None
    assert record.session.budgets == 1


async def test_a_session_of_a_tree_brings_the_budgets_above_it_in_one_order(
    store: Store, session: Session
) -> None:
    budgets = [a_budget(session.id), a_budget(session.id, status="disabled"), a_budget(session_id())]
    kin = Kin(ancestors=(session_id(), session.id), budgeted=True)
    child = await insert(store, record(a_session(kin=kin, budgets=0)))
    unaware = await insert(store, record(a_session(kin=replace(kin, budgeted=False))))
    own = a_budget(child.id)
    await write(store, own, *budgets)
    assert (await locked(store, child.id)).budgets == (budgets[0], own)
    assert await store.write(lambda tx: tx.lock_budgets(ORG, child)) == [budgets[0], own]
    # One whose parents never had a budget looks for none.
    assert (await locked(store, unaware.id)).budgets == ()


async def test_a_ledger_is_read_in_order_behind_a_number(store: Store, session: Session) -> None:
    budget, other = a_budget(session.id), a_budget(session.id)
    entries = [
        a_budget_entry(budget),
        a_budget_entry(
            budget,
            2,
            amount=None,
            source="model_call",
            turn=TurnId(uuid7()),
            call=3,
            seq=17,
            description="The price of a/b is not known.",
            at=at(2),
        ),
        a_budget_entry(budget, 3, amount=Decimal("-0.5"), source="top_up"),
    ]
    await store.write(lambda tx: tx.append_budget_entries(ORG, [*reversed(entries), a_budget_entry(other)]))
    assert await store.reads.list_budget_entries(ORG, budget.id, 0, 10) == entries
    assert await store.reads.list_budget_entries(ORG, budget.id, 1, 1) == entries[1:2]
    assert await store.reads.list_budget_entries(ELSEWHERE, budget.id, 0, 10) == []
