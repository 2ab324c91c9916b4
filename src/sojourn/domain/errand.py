"""Errands: what a transaction on one session leaves to be done to another, after its commit and once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NewType
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.ids import AskId, BudgetId, OrgId, SessionId, TurnId

ErrandId = NewType("ErrandId", UUID)
ChildEnd = Literal["completed", "failed", "cancelled", "expired", "deleted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StartChild:
    """Make the session that the ask's prompt describes, unless the ask is not open any more.

    It is the `number`-th that its parent has asked for.
    """

    ask: AskId
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerParent:
    """Decide the ask that waits for the session, whose `turn` has come to this end."""

    parent: SessionId
    ask: AskId
    turn: TurnId | None
    end: ChildEnd
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChild:
    """Nobody waits for the child any more: cancel what it does for the ask."""

    child: SessionId
    ask: AskId
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class EndChildren:
    """End the children of turns that the session had before the event `upto`, its end."""

    upto: int
    status: Literal["completed", "failed", "cancelled", "expired"]
    reason: str
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfBudget:
    """Say in the log of a budget's session that a session below has used it up to a line."""

    owner: SessionId
    budget: BudgetId
    word: Literal["warned", "paused", "exhausted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtBudgets:
    """Have every session below know that there is a budget above it, and go on if it waited for one."""


Task = TellOfBudget | LookAtBudgets | StartChild | AnswerParent | StopChild | EndChildren

# The names that tasks are stored under.
TASKS: Final[Mapping[str, type[Task]]] = {
    "start_child": StartChild,
    "answer_parent": AnswerParent,
    "stop_child": StopChild,
    "end_children": EndChildren,
    "tell_of_budget": TellOfBudget,
    "look_at_budgets": LookAtBudgets,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """`session` is the one whose transaction has left it. `attempts` counts the failures so far."""

    org: OrgId
    id: ErrandId
    session: SessionId
    task: Task
    attempts: int = 0
