"""How a turn goes from its queue to its end."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sojourn.domain.actor import Actor
from sojourn.domain.ids import AskId, InputId
from sojourn.domain.kinds import AskKind, Json, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnQueued:
    type: ClassVar[str] = "turn.queued"
    v: ClassVar[int] = 1
    input: InputId


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnDeferred:
    """Nobody had claimed the turn, and another input goes first: it is no turn yet, and its input is in the queue."""

    type: ClassVar[str] = "turn.deferred"
    v: ClassVar[int] = 1
    input: InputId
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted:
    """`attempt` counts the claims of this turn from 1."""

    type: ClassVar[str] = "turn.started"
    v: ClassVar[int] = 1
    attempt: int
    worker: str
    agent_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnWaiting:
    type: ClassVar[str] = "turn.waiting"
    v: ClassVar[int] = 1
    mode: Literal["held", "parked"]
    asks: tuple[AskId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnResumed:
    type: ClassVar[str] = "turn.resumed"
    v: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRetried:
    """A passing fault: the lease is given back and the turn may be claimed again from `retry_at`."""

    type: ClassVar[str] = "turn.retried"
    v: ClassVar[int] = 1
    fault: int
    error: str
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnReclaimed:
    type: ClassVar[str] = "turn.reclaimed"
    v: ClassVar[int] = 1
    worker: str | None
    cause: Literal["lease_expired", "worker_stopped", "server_restarted", "start_expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCompleted:
    type: ClassVar[str] = "turn.completed"
    v: ClassVar[int] = 1
    reason: Outcome = "end_turn"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFailed:
    type: ClassVar[str] = "turn.failed"
    v: ClassVar[int] = 1
    reason: Outcome
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnCancelled:
    type: ClassVar[str] = "turn.cancelled"
    v: ClassVar[int] = 1
    reason: Outcome
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOpened:
    type: ClassVar[str] = "ask.opened"
    v: ClassVar[int] = 1
    ask: AskId
    kind: AskKind
    prompt: dict[str, Json]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDecided:
    type: ClassVar[str] = "ask.decided"
    v: ClassVar[int] = 1
    ask: AskId
    decision: Literal["allow", "deny", "answer"]
    answer: Json
    by: Actor
