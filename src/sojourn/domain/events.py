"""The closed union of what a log can say, one frozen class per type, past tense.

A class is the data of its event at version `v`; the envelope (seq, id, at, turn, tx) stands in `log.py`.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from sojourn.domain.actor import Actor
from sojourn.domain.budget_events import BudgetEvent
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.ids import AgentId, AskId, InputId, MessageId, SessionId, TurnId
from sojourn.domain.tool_events import ToolCompleted, ToolDenied, ToolRequested, ToolStarted

if TYPE_CHECKING:
    Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
else:
    # Decoders read the annotations of these classes and cannot follow an alias that contains itself.
    Json = Any

InputKind = Literal["message", "tool_result", "decision", "interrupt"]
Delivery = Literal["steer", "queue", "interrupt"]
RunnerKind = Literal["model", "acp", "http", "external"]
AskKind = Literal["approval", "client_tool", "question"]
Outcome = Literal[
    "end_turn", "interrupted", "expired", "budget", "refused", "no_progress", "error", "superseded"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCreated:
    type: ClassVar[str] = "session.created"
    v: ClassVar[int] = 1
    agent: AgentId
    agent_version: int
    origin: str
    title: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUpdated:
    """`changes` holds the new values of the fields that changed."""

    type: ClassVar[str] = "session.updated"
    v: ClassVar[int] = 1
    revision: int
    changes: dict[str, Json]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded:
    type: ClassVar[str] = "session.ended"
    v: ClassVar[int] = 1
    status: Literal["completed", "failed", "cancelled", "expired"]
    by: Actor
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExpired:
    type: ClassVar[str] = "session.expired"
    v: ClassVar[int] = 1
    reason: Literal["idle", "lifetime"]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionReopened:
    type: ClassVar[str] = "session.reopened"
    v: ClassVar[int] = 1
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionForked:
    """What stands before is the log of `parent`, up to its seq `at`; what follows is the fork's own.

    The events before keep their seq and their time. Leases, names, budgets, usage and revision begin anew.
    """

    type: ClassVar[str] = "session.forked"
    v: ClassVar[int] = 1
    parent: SessionId
    at: int
    agent: AgentId
    agent_version: int
    title: str | None = None
    external_id: str | None = None
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class InputReceived:
    """`turn` is the id that the input's own turn will have, unless the input is delivered as a steer.

    `facets` holds what a dialect's client said of it and the core has no word for, by the name of the dialect.
    """

    type: ClassVar[str] = "input.received"
    v: ClassVar[int] = 1
    input: InputId
    turn: TurnId
    kind: InputKind
    delivery: Delivery
    content: tuple[TextPart, ...]
    by: Actor
    facets: dict[str, Json] = field(default_factory=dict[str, Json])


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEdited:
    type: ClassVar[str] = "input.edited"
    v: ClassVar[int] = 1
    input: InputId
    revision: int
    content: tuple[TextPart, ...]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class InputWithdrawn:
    type: ClassVar[str] = "input.withdrawn"
    v: ClassVar[int] = 1
    input: InputId
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class InputDelivered:
    """The place of an input in the transcript: before model call `call` of the envelope's turn.

    What was delivered is the content of its last `input.received` or `input.edited` before this event.
    """

    type: ClassVar[str] = "input.delivered"
    v: ClassVar[int] = 1
    input: InputId
    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnQueued:
    type: ClassVar[str] = "turn.queued"
    v: ClassVar[int] = 1
    input: InputId


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
    cause: Literal["lease_expired", "worker_stopped", "server_restarted"]


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
class MessageCompleted:
    """`interrupted` marks the partial text of a message that was stopped on purpose."""

    type: ClassVar[str] = "message.completed"
    v: ClassVar[int] = 1
    message: MessageId
    call: int
    text: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAbandoned:
    """The worker was lost, or the call failed, while this message was being written: its previews are void."""

    type: ClassVar[str] = "message.abandoned"
    v: ClassVar[int] = 1
    message: MessageId
    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCalled:
    """The intent of model call `call`, from 1 within its turn. `message` is the id of the answer to come."""

    type: ClassVar[str] = "model.called"
    v: ClassVar[int] = 1
    call: int
    model: str
    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCompleted:
    type: ClassVar[str] = "model.completed"
    v: ClassVar[int] = 1
    call: int
    model: str
    provider: str
    usage: Usage
    finish_reason: str
    simulated: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecorded:
    """Consumption that no model call of ours accounts for, reported by a runner."""

    type: ClassVar[str] = "usage.recorded"
    v: ClassVar[int] = 1
    source: str
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseAcquired:
    type: ClassVar[str] = "lease.acquired"
    v: ClassVar[int] = 1
    kind: Literal["presence"]
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReleased:
    type: ClassVar[str] = "lease.released"
    v: ClassVar[int] = 1
    kind: Literal["presence"]
    holder: str
    by: Actor


Event = (
    SessionCreated
    | SessionUpdated
    | SessionEnded
    | SessionExpired
    | SessionReopened
    | SessionForked
    | InputReceived
    | InputEdited
    | InputWithdrawn
    | InputDelivered
    | TurnQueued
    | TurnStarted
    | TurnWaiting
    | TurnResumed
    | TurnRetried
    | TurnReclaimed
    | TurnCompleted
    | TurnFailed
    | TurnCancelled
    | MessageCompleted
    | MessageAbandoned
    | ModelCalled
    | ModelCompleted
    | ToolRequested
    | ToolStarted
    | ToolDenied
    | ToolCompleted
    | AskOpened
    | AskDecided
    | UsageRecorded
    | BudgetEvent
    | LeaseAcquired
    | LeaseReleased
    | FileWritten
    | FileDeleted
)

EVENT_CLASSES: Final[tuple[type[Event], ...]] = Event.__args__
BY_TYPE: Final[dict[str, type[Event]]] = {cls.type: cls for cls in EVENT_CLASSES}

# What a runner may say for its turn; the rest of the log is said by the verbs themselves.
RunnerEvent = (
    MessageCompleted
    | MessageAbandoned
    | ModelCalled
    | ModelCompleted
    | ToolRequested
    | ToolStarted
    | ToolDenied
    | ToolCompleted
    | UsageRecorded
    | FileWritten
)
RUNNER_CLASSES: Final[tuple[type[RunnerEvent], ...]] = RunnerEvent.__args__
