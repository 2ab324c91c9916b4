"""What concerns a session as one of a tree: when its parent is to be told, and what its own children are to be told."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from sojourn.domain import budget_events as be
from sojourn.domain import commands as c
from sojourn.domain.actor import POLICY, Actor
from sojourn.domain.ask import Ask
from sojourn.domain.draft import Decision, Draft, State
from sojourn.domain.errand import (
    AnswerParent,
    ChildEnd,
    EndChildren,
    LookAtBudgets,
    StartChild,
    StopChild,
    Task,
    TellOfBudget,
)
from sojourn.domain.events import AskDecided, SessionEnded, SessionExpired, TurnCancelled
from sojourn.domain.ids import SessionId
from sojourn.domain.kin import Wanted
from sojourn.domain.kinds import Json
from sojourn.domain.session import Session, SessionStatus
from sojourn.domain.turn import Turn, TurnStatus


def release_child(draft: Draft, command: c.ReleaseChild) -> None:
    """Its parent does not wait for it any more: what it was asked for is cancelled, and what else was sent goes on."""
    draft.session = replace(draft.session, kin=replace(draft.session.kin, awaited=False))
    asked = command.asked
    if draft.turn is not None and draft.turn.input == asked.id:
        draft.stop_turn(command.by, "interrupted", command.unfinished)
        draft.queue_head()
    elif asked.status == "queued":
        draft.withdraw(asked.id, command.by)
        draft.session = replace(draft.session, queued_inputs=draft.session.queued_inputs - 1)


def wanted(ask: Ask) -> Wanted | None:
    """The session that an ask of kind `session` wants to be started; None for a prompt that wants none."""
    match ask.prompt:
        case {"session": str(id), "agent": str(agent), "message": str(message)}:
            title = ask.prompt.get("title")
            try:
                child = SessionId(UUID(id))
            except ValueError:
                return None
            return Wanted(
                id=child, agent=agent, message=message, title=title if isinstance(title, str) else None
            )
        case _:
            return None


def errands(state: State, decision: Decision, void: Iterable[Ask]) -> Iterator[Task]:
    """What a decision leaves to be done to the sessions next to its own. `void` are asks that it has made void."""
    before, after = state.session, decision.session
    yield from _of_asks(before.kin.children, decision)
    by = _stopper(decision)
    for ask in void:
        child = wanted(ask)
        if child is not None:
            yield StopChild(child=child.id, ask=ask.id, by=by)
    if after.kin.children and before.status is SessionStatus.OPEN and after.status is not SessionStatus.OPEN:
        yield EndChildren(
            upto=after.next_seq - 1, status=after.status.value, reason="The parent session ended.", by=by
        )
    yield from _of_budgets(decision)
    kin = after.kin
    if before.kin.awaited and not kin.awaited and kin.parent is not None and kin.ask is not None:
        end, turn = _end(decision)
        yield AnswerParent(
            parent=kin.parent,
            ask=kin.ask,
            turn=None if turn is None else turn.id,
            end=end,
            error=None if turn is None else turn.error,
        )


def on_deletion(session: Session, by: Actor) -> Iterator[Task]:
    """What the deletion of a session leaves to be done to those next to it."""
    kin = session.kin
    if kin.children:
        upto = session.next_seq - 1
        yield EndChildren(upto=upto, status="cancelled", reason="The parent session was deleted.", by=by)
    if kin.awaited and kin.parent is not None and kin.ask is not None:
        yield AnswerParent(parent=kin.parent, ask=kin.ask, turn=None, end="deleted")


def _of_asks(number: int, decision: Decision) -> Iterator[Task]:
    """`number` is how many sessions were asked for before."""
    decided = {new.event.ask: new.event for new in decision.events if isinstance(new.event, AskDecided)}
    for ask in decision.asks:
        if ask.kind != "session":
            continue
        if ask.status == "open":
            number += 1
            yield StartChild(ask=ask.id, number=number)
        elif (verdict := decided[ask.id]).decision == "deny" and (child := wanted(ask)) is not None:
            yield StopChild(child=child.id, ask=ask.id, by=verdict.by)


def _of_budgets(decision: Decision) -> Iterator[Task]:
    for owner, event in decision.told:
        match event:
            case be.BudgetWarned():
                yield TellOfBudget(owner=owner, budget=event.budget, word="warned")
            case be.BudgetPaused():
                yield TellOfBudget(owner=owner, budget=event.budget, word="paused")
            case be.BudgetExhausted():
                yield TellOfBudget(owner=owner, budget=event.budget, word="exhausted")
            case _:
                pass
    changed = be.BudgetCreated | be.BudgetChanged | be.BudgetResumed
    if decision.session.kin.children and any(isinstance(new.event, changed) for new in decision.events):
        yield LookAtBudgets()


def _stopper(decision: Decision) -> Actor:
    """Who has stopped the turn or ended the session, if that was anybody."""
    for new in decision.events:
        if isinstance(new.event, TurnCancelled | SessionEnded | SessionExpired):
            return new.event.by
    return POLICY


def _end(decision: Decision) -> tuple[ChildEnd, Turn | None]:
    turn = next((turn for turn in reversed(decision.turns) if not turn.status.is_open), None)
    if decision.session.status is SessionStatus.EXPIRED:
        return "expired", turn
    match None if turn is None else turn.status:
        case TurnStatus.COMPLETED:
            return "completed", turn
        case TurnStatus.FAILED:
            return "failed", turn
        case _:
            return "cancelled", turn


def answer(end: ChildEnd, text: str, error: str | None, child: SessionId, **more: Json) -> dict[str, Json]:
    """What the ask is answered with."""
    return {"session": str(child), "status": end, "text": text, "error": error, **more}
