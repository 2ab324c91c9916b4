"""Model calls, their messages, and what was consumed."""

from dataclasses import dataclass
from typing import ClassVar

from sojourn.domain.content import Usage
from sojourn.domain.ids import MessageId


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
class UsageRecorded:
    """Consumption that no model call of ours accounts for, reported by a runner."""

    type: ClassVar[str] = "usage.recorded"
    v: ClassVar[int] = 1
    source: str
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ThoughtRecorded:
    """What an outside program thought aloud before the message of model call `call`. No model is told of it again."""

    type: ClassVar[str] = "thought.recorded"
    v: ClassVar[int] = 1
    call: int
    text: str


@dataclass(frozen=True, slots=True)
class PlanStep:
    content: str
    priority: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChanged:
    """The plan that an outside program follows, whole, in the place of the one before."""

    type: ClassVar[str] = "plan.changed"
    v: ClassVar[int] = 1
    steps: tuple[PlanStep, ...]
