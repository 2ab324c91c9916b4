"""The books of a decision in the making: its budgets as they will be, and what their ledgers will say."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from sojourn.domain import budget as b
from sojourn.domain import budget_events as be
from sojourn.domain.actor import Actor
from sojourn.domain.budget import Budget, BudgetEntry, Source
from sojourn.domain.budget_events import BudgetEvent, Currency
from sojourn.domain.content import Usage
from sojourn.domain.events import Event, ModelCompleted, ToolCompleted, UsageRecorded
from sojourn.domain.ids import BudgetId, SessionId, TurnId

_THOUSAND: Final = Decimal(1000)
_MICROSECONDS: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something that was used up. `amount` None has no known price."""

    amount: Decimal | None
    source: Source
    description: str | None = None
    turn: TurnId | None = None
    call: int | None = None
    seq: int | None = None


class Books:
    """The enabled budgets that hold for one session, by id, and every one that the decision changes.

    What becomes of a budget of a session above is said in that one's log: `told` is what there is to say.
    """

    def __init__(self, budgets: Iterable[Budget], session: SessionId, now: datetime) -> None:
        self._budgets: dict[BudgetId, Budget] = {budget.id: budget for budget in budgets}
        self._changed: set[BudgetId] = set()
        self._session = session
        self._now = now
        self.told: list[tuple[SessionId, BudgetEvent]] = []
        self.entries: list[BudgetEntry] = []

    def __bool__(self) -> bool:
        return bool(self._budgets)

    @property
    def changed(self) -> tuple[Budget, ...]:
        return tuple(budget for id, budget in self._budgets.items() if id in self._changed)

    @property
    def enabled(self) -> list[Budget]:
        return [budget for budget in self._budgets.values() if budget.status != "disabled"]

    @property
    def own(self) -> list[Budget]:
        """Those of the session itself."""
        return [budget for budget in self.enabled if budget.session == self._session]

    @property
    def counts_time(self) -> bool:
        return any(budget.currency == "seconds" for budget in self.enabled)

    @property
    def is_paused(self) -> bool:
        return any(budget.status == "paused" for budget in self._budgets.values())

    def get(self, id: BudgetId) -> Budget:
        return self._budgets[id]

    def check(self) -> b.Verdict:
        return b.check(self._budgets.values())

    def put(self, budget: Budget, by: Actor | None = None) -> Iterator[BudgetEvent]:
        """Take a budget as it is from now on; what the log says of the difference. `by` who made it, if anybody."""
        before = self._budgets.get(budget.id)
        self._budgets[budget.id] = replace(budget, updated_at=self._now)
        self._changed.add(budget.id)
        said = _differences(before, budget, by)
        if budget.session == self._session:
            return said
        self.told.extend((budget.session, event) for event in said)
        return iter(())

    def charge(self, budget: Budget, use: Use, by: Actor | None = None) -> Iterator[BudgetEvent]:
        """Write a use down and take it from the balance, both to the same last place."""
        amount = None if use.amount is None else b.exact(use.amount)
        after = budget if amount is None else b.charged(budget, amount)
        return self.put(self._entered(after, replace(use, amount=amount)), by)

    def top_up(
        self, budget: Budget, amount: Decimal, description: str | None, by: Actor
    ) -> Iterator[BudgetEvent]:
        amount = b.exact(amount)
        use = Use(amount=-amount, source="top_up", description=description)
        return self.put(self._entered(b.topped_up(budget, amount), use), by)

    def _entered(self, budget: Budget, use: Use) -> Budget:
        number = budget.entries + 1
        self.entries.append(
            BudgetEntry(
                budget=budget.id,
                number=number,
                amount=use.amount,
                source=use.source,
                session=self._session,
                at=self._now,
                turn=use.turn,
                call=use.call,
                seq=use.seq,
                description=use.description,
            )
        )
        return replace(budget, entries=number)

    def meter(self, event: Event, turn: TurnId | None, seq: int) -> Iterator[BudgetEvent]:
        """Charge what an event tells of to every budget of its kind."""
        for budget in self.enabled:
            use = _use_of(event, budget.currency)
            if use is not None and use.amount != 0:
                yield from self.charge(budget, replace(use, turn=turn, seq=seq))

    def meter_turn(self, turn: TurnId) -> Iterator[BudgetEvent]:
        """Charge one turn that has run and ended."""
        for budget in self.enabled:
            if budget.currency == "turns":
                yield from self.charge(budget, Use(amount=Decimal(1), source="turn", turn=turn))

    def meter_time(self, turn: TurnId, metered_at: datetime | None) -> Iterator[BudgetEvent]:
        """Charge the time for which the turn was held, from `metered_at` or from when a budget counts, the later."""
        for budget in self.enabled:
            if budget.running_since is None:
                continue
            since = budget.running_since if metered_at is None else max(metered_at, budget.running_since)
            elapsed = self._now - since
            amount = Decimal((elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds)
            if amount > 0:
                yield from self.charge(budget, Use(amount=amount / _MICROSECONDS, source="time", turn=turn))


def _use_of(event: Event, currency: Currency) -> Use | None:
    match event:
        case ModelCompleted():
            return _use_of_usage(event.usage, currency, "model_call", event.model, event.call)
        case UsageRecorded():
            return _use_of_usage(event.usage, currency, "usage", event.source, None)
        # A cancelled call was cut off with its turn, by whoever stopped that; it may never have begun.
        case ToolCompleted(status="done" | "error" | "unknown") if currency == "tool_calls":
            return Use(amount=Decimal(1), source="tool_call", description=event.name, call=event.call)
        case _:
            return None


def _use_of_usage(
    usage: Usage, currency: Currency, source: Source, what: str, call: int | None
) -> Use | None:
    tokens = Decimal(usage.input_tokens + usage.output_tokens)
    match currency:
        case "tokens":
            return Use(amount=tokens, source=source, description=what, call=call)
        case "credits":
            return Use(amount=tokens / _THOUSAND, source=source, description=what, call=call)
        case "usd" if usage.cost_usd is None:
            return Use(
                amount=None, source=source, description=f"The price of {what} is not known.", call=call
            )
        case "usd":
            return Use(amount=usage.cost_usd, source=source, description=what, call=call)
        case _:
            return None


def _differences(before: Budget | None, after: Budget, by: Actor | None) -> Iterator[BudgetEvent]:
    """The lines that a budget has crossed. One that is used up needs no other warning."""
    if before is None:
        return
    if after.status == "exhausted":
        if before.status != "exhausted":
            yield be.BudgetExhausted(
                budget=after.id, currency=after.currency, limit=after.limit, balance=after.balance
            )
        return
    if after.is_low and not before.is_low:
        yield be.BudgetWarned(
            budget=after.id, currency=after.currency, limit=after.limit, balance=after.balance
        )
    if after.status == "paused" and before.status != "paused":
        yield be.BudgetPaused(
            budget=after.id,
            currency=after.currency,
            limit=after.limit,
            soft_limit=after.soft_limit,
            balance=after.balance,
        )
    if after.status == "active" and before.status in ("paused", "exhausted") and by is not None:
        yield be.BudgetResumed(
            budget=after.id, currency=after.currency, limit=after.limit, balance=after.balance, by=by
        )
