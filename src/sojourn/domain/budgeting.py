"""What budgets decide: whether a model may be called, and what becomes of a turn that may call none.

A session has one open turn, one worker may write for it, and that one makes its calls one after the other. So a check
in the transaction that announces a call, and a charge in the one that reports its answer, leave at most one call that
no check has seen: a budget is overshot by at most one call of each turn that runs in the tree below it. The announced
call in a turn's log is all that is reserved beforehand (docs/adr/0014-budgets-of-trees.md).

The runners `model` and `http` announce their calls. Of any other the log tells what it has used up, and its turn ends
with the report that finds nothing left; a soft limit holds for it from its next turn on.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sojourn.domain import budget as b
from sojourn.domain import budget_events as be
from sojourn.domain import commands as c
from sojourn.domain.books import Use
from sojourn.domain.budget import Budget
from sojourn.domain.budget_events import BudgetEvent
from sojourn.domain.draft import Draft
from sojourn.domain.errors import LimitExceeded, WrongState
from sojourn.domain.events import TurnFailed, TurnResumed, TurnWaiting
from sojourn.domain.turn import Move, next_status

# Each write for a turn reads them all.
MAX_BUDGETS: Final = 20


def admits_call(draft: Draft) -> bool:
    """Whether the open turn may call a model now. If it may not, it has ended or parked when this returns.

    The one who may not call has nothing else to do, and a worker that is told and dies would leave the turn to be
    claimed again for nothing: so the transaction that refuses the call also ends or parks its turn.
    """
    if not draft.books:
        return True
    draft.meter(is_check=True)
    verdict = draft.books.check()
    if verdict.allows_calls:
        return True
    assert verdict.budget is not None
    if verdict.action == "stop":
        _stop(draft, verdict.budget)
    else:
        _park(draft)
    return False


def stop_at_budget(draft: Draft, command: c.StopAtBudget) -> None:
    turn, verdict = draft.open_turn(), draft.books.check()
    if verdict.action != "stop" or verdict.budget is None:
        raise WrongState("turn", turn.status, "be stopped by a budget of which something is left")
    draft.say_for_turn(command.unfinished.closing("cancelled", "A budget is used up."))
    _stop(draft, verdict.budget)


def _stop(draft: Draft, budget: Budget) -> None:
    """Failed and not completed: the turn leaves its work undone, and only a failed one says in words why."""
    error = f"The budget of {budget.limit:f} {budget.currency} is used up."
    draft.say(TurnFailed(reason="budget", error=error), draft.open_turn().id)
    draft.close_turn(Move.FAIL, "budget", error)
    draft.queue_head()


def _park(draft: Draft) -> None:
    """Without an ask: no answer is waited for, but that the session's budgets allow a call again."""
    turn = draft.open_turn()
    draft.say(TurnWaiting(mode="parked", asks=()), turn.id)
    status = next_status(next_status(turn.status, Move.APPEND), Move.PARK)
    draft.put_turn(replace(turn, status=status, parked=True, stalled=0))
    draft.advance_fence()
    draft.lease = "release"


def _go_on(draft: Draft) -> None:
    """Let the turn go on that waits for nothing but its budgets, once none of them is paused any more."""
    turn = draft.turn
    if turn is None or not turn.parked or turn.open_asks or draft.books.is_paused:
        return
    draft.say(TurnResumed(), turn.id)
    draft.put_turn(replace(turn, status=next_status(turn.status, Move.REQUEUE), parked=False))


def create_budget(draft: Draft, command: c.CreateBudget) -> None:
    budget = command.budget
    b.check_limits(budget.limit, budget.soft_limit)
    created = be.BudgetCreated(
        budget=budget.id,
        currency=budget.currency,
        limit=budget.limit,
        soft_limit=budget.soft_limit,
        by=command.by,
    )
    draft.say(created)
    _say(draft, draft.books.put(_running(draft, budget), command.by))
    _count(draft, 1)


def change_budget(draft: Draft, command: c.ChangeBudget) -> None:
    before = command.budget
    b.check_limits(command.limit, command.soft_limit)
    after = replace(b.limited(before, command.limit, command.soft_limit), metadata=command.metadata)
    after = _with_status(draft, after, command.status)
    if after == before:
        # Said again, it changes nothing: the log tells of what did.
        return
    _say_changed(draft, after, command)
    _say(draft, draft.books.put(after, command.by))
    _count(draft, (before.status == "disabled") - (after.status == "disabled"))
    _go_on(draft)


def _with_status(draft: Draft, budget: Budget, status: str | None) -> Budget:
    if status in (None, budget.status):
        return budget
    if status == "disabled":
        return replace(budget, status="disabled", running_since=None)
    if budget.status == "disabled":
        budget = _running(draft, b.judged(budget, is_raised=True))
    if budget.balance <= 0:
        raise WrongState("budget", "exhausted", f"be {status}")
    return replace(budget, status="paused" if status == "paused" else "active")


def charge_budget(draft: Draft, command: c.ChargeBudget) -> None:
    b.check_amount("amount", command.amount)
    _require_enabled(command.budget, "be charged")
    use = Use(amount=command.amount, source="charge", description=command.description)
    _say(draft, draft.books.charge(command.budget, use, command.by))
    _go_on(draft)


def top_up_budget(draft: Draft, command: c.TopUpBudget) -> None:
    b.check_amount("amount", command.amount)
    _require_enabled(command.budget, "be topped up")
    said = list(draft.books.top_up(command.budget, command.amount, command.description, command.by))
    _say_changed(draft, draft.books.get(command.budget.id), command)
    _say(draft, said)
    _go_on(draft)


def resume_budgets(draft: Draft, command: c.ResumeBudgets) -> None:
    for budget in draft.books.own:
        if budget.status == "paused":
            _say(draft, draft.books.put(replace(budget, status="active"), command.by))
    _go_on(draft)


def look_at_budgets(draft: Draft, _command: c.LookAtBudgets) -> None:
    """Something has changed about the budgets above the session."""
    if not draft.session.kin.budgeted:
        draft.session = replace(draft.session, kin=replace(draft.session.kin, budgeted=True))
    _go_on(draft)


def tell_of_budget(draft: Draft, command: c.TellOfBudget) -> None:
    """A session below has used the budget up to a line: said here, where it is from, if it is so still."""
    budget = command.budget
    match command.word:
        case "exhausted" if budget.status == "exhausted":
            draft.say(
                be.BudgetExhausted(
                    budget=budget.id, currency=budget.currency, limit=budget.limit, balance=budget.balance
                )
            )
        case "paused" if budget.status == "paused":
            draft.say(
                be.BudgetPaused(
                    budget=budget.id,
                    currency=budget.currency,
                    limit=budget.limit,
                    soft_limit=budget.soft_limit,
                    balance=budget.balance,
                )
            )
        case "warned" if budget.status == "active" and budget.is_low:
            draft.say(
                be.BudgetWarned(
                    budget=budget.id, currency=budget.currency, limit=budget.limit, balance=budget.balance
                )
            )
        case _:
            pass


def _say(draft: Draft, events: Iterable[BudgetEvent]) -> None:
    for event in events:
        draft.say(event)


def _say_changed(draft: Draft, after: Budget, command: c.ChangeBudget | c.TopUpBudget) -> None:
    changed = be.BudgetChanged(
        budget=after.id,
        currency=after.currency,
        limit=after.limit,
        soft_limit=after.soft_limit,
        balance=after.balance,
        status=after.status,
        by=command.by,
    )
    draft.say(changed)


def _running(draft: Draft, budget: Budget) -> Budget:
    """The budget as one that begins to count."""
    return replace(budget, running_since=draft.now if budget.currency == "seconds" else None)


def _count(draft: Draft, more: int) -> None:
    budgets = draft.session.budgets + more
    if budgets > MAX_BUDGETS:
        raise LimitExceeded("budgets of a session", MAX_BUDGETS)
    draft.session = replace(draft.session, budgets=budgets)


def _require_enabled(budget: Budget, verb: str) -> None:
    if budget.status == "disabled":
        raise WrongState("budget", "disabled", verb)
