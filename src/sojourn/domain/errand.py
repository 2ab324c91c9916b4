"""Errands: what a transaction on one session leaves to be done to another, after its commit and once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NewType
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.ids import AskId, OrgId, SessionId, TurnId

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
    """End the children that were made before the session's own end."""

    before: datetime
    status: Literal["completed", "failed", "cancelled", "expired"]
    reason: str
    by: Actor


Task = StartChild | AnswerParent | StopChild | EndChildren

# The names that tasks are stored under.
TASKS: Final[Mapping[str, type[Task]]] = {
    "start_child": StartChild,
    "answer_parent": AnswerParent,
    "stop_child": StopChild,
    "end_children": EndChildren,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """`session` is the one whose transaction has left it. `attempts` counts the failures so far."""

    org: OrgId
    id: ErrandId
    session: SessionId
    task: Task
    attempts: int = 0
