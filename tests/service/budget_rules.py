"""What clients do with budgets, for the machine that sends random commands to a real store and to plain values."""

from decimal import Decimal
from random import Random
from typing import Literal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from sojourn.domain import commands as c
from sojourn.domain.budget import Budget
from sojourn.domain.budget_events import Currency
from sojourn.domain.ids import BudgetId, uuid7
from sojourn.service.budgets import BudgetChange, NewBudget
from tests.service.mirror import Mirror
from tests.support.world import SOMEBODY, World

MOST = 3
CURRENCIES: tuple[Currency, ...] = ("tokens", "tokens", "tool_calls", "turns", "seconds", "usd")
Limits = tuple[tuple[Currency, int, int | None], ...]
# What a session has from its beginning: little, so that stories come to its end.
LIMITS: st.SearchStrategy[Limits] = st.sampled_from(
    [
        (),
        (("tokens", 12, None),),
        (("tokens", 60, 1),),
        (("tokens", 40, 6), ("turns", 5, None)),
        (("seconds", 12, 1), ("tool_calls", 1, None)),
    ]
)
Status = Literal["active", "paused", "disabled"]


class BudgetRules:
    world: World
    mirror: Mirror
    random: Random

    def _any_budget(self) -> Budget:
        return self.random.choice(list(self.mirror.model.budgets.values()))

    @precondition(lambda self: len(self.mirror.model.budgets) < MOST)
    @rule(
        currency=st.sampled_from(CURRENCIES),
        limit=st.sampled_from([1, 12, 40]),
        soft=st.sampled_from([None, 1, 6]),
    )
    def create_budget(self, currency: Currency, limit: int, soft: int | None) -> None:
        mirror, now = self.mirror, self.world.clock.now()
        soft_limit = None if soft is None else Decimal(min(soft, limit))
        new = NewBudget(currency=currency, limit=Decimal(limit), soft_limit=soft_limit)
        budgets = self.world.services.budgets
        made, refusal = mirror.attempt(budgets.create(self.world.org, mirror.id, new, SOMEBODY))
        budget = Budget(
            id=BudgetId(uuid7()) if made is None else made.value.id,
            session=mirror.id,
            currency=currency,
            limit=new.limit,
            soft_limit=soft_limit,
            balance=new.limit,
            created_at=now,
            updated_at=now,
        )
        mirror.decide(c.CreateBudget(budget=budget, by=SOMEBODY), refusal)

    @precondition(lambda self: bool(self.mirror.model.budgets))
    @rule(amount=st.sampled_from([1, 7]), is_top_up=st.booleans())
    def move_budget(self, amount: int, is_top_up: bool) -> None:
        if self.random.random() < 0.5:
            return
        budget, budgets = self._any_budget(), self.world.services.budgets
        moved = Decimal(amount)
        move = budgets.top_up if is_top_up else budgets.charge
        command = (c.TopUpBudget if is_top_up else c.ChargeBudget)(budget=budget, amount=moved, by=SOMEBODY)
        self.mirror.both(move(self.world.org, budget.id, moved, None, SOMEBODY), command)

    @precondition(lambda self: bool(self.mirror.model.budgets))
    @rule(
        limit=st.sampled_from([None, None, 5, 60]),
        soft=st.sampled_from(["as it is", None, 4]),
        status=st.sampled_from([None, "active", "paused", "disabled"]),
    )
    def change_budget(self, limit: int | None, soft: int | str | None, status: Status | None) -> None:
        if self.random.random() < 0.7:
            return
        budget = self._any_budget()
        command = c.ChangeBudget(
            budget=budget,
            limit=budget.limit if limit is None else Decimal(limit),
            soft_limit=budget.soft_limit
            if isinstance(soft, str)
            else None
            if soft is None
            else Decimal(soft),
            metadata={},
            status=status,
            by=SOMEBODY,
        )
        change = BudgetChange(limit=command.limit, soft_limit=command.soft_limit)
        if status is not None:
            change = BudgetChange(limit=command.limit, soft_limit=command.soft_limit, status=status)
        self.mirror.both(
            self.world.services.budgets.change(self.world.org, budget.id, change, SOMEBODY), command
        )

    @rule()
    def resume_budgets(self) -> None:
        mirror = self.mirror
        paused = sum(budget.status == "paused" for budget in mirror.model.budgets.values())
        act = self.world.services.budgets.resume(self.world.org, mirror.id, SOMEBODY)
        if paused:
            resumed = mirror.both(act, c.ResumeBudgets(by=SOMEBODY))
        else:
            resumed, _ = mirror.attempt(act)
        assert resumed is not None
        assert resumed.value == paused
