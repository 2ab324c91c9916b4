"""What the native API says of inputs and turns."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.native.model_wire import ModelName
from sojourn.web.native.wire import Content, Count, Instant, Object, TextPart

InputStatus = Literal["queued", "delivered", "withdrawn"]

InputKind = Literal["message", "tool_result", "decision", "interrupt"]

Delivery = Literal["queue", "steer", "interrupt"]

TurnStatus = Literal[
    "queued", "starting", "running", "waiting", "retrying", "completed", "failed", "cancelled"
]


Source = Literal["human", "agent", "schedule"]

Priority = Literal["interrupt", "human", "agent", "schedule"]


class NewInput(Struct, forbid_unknown_fields=True):
    """`source` says who speaks: in the queue a human goes before an agent, and an agent before a schedule.

    `expected_seq` asserts that the log still ends there: 409 if something happened since. `payload` is what an agent
    behind HTTP is sent beside the text; with it, were it empty, a text that looks like JSON is a text. `model` is that
    of the turn which the input starts, where the agent is of the runner `model`; one that is read by a turn that runs
    changes nothing of that.
    """

    content: Content
    delivery: Delivery = "queue"
    source: Source = "human"
    expected_seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET
    payload: Object | None = None
    model: ModelName | None = None


class InputMove(Struct, forbid_unknown_fields=True):
    """`before` is the queued input that this one shall stand directly before; null is the end of the queue."""

    before: UUID | None


class InputChange(Struct, forbid_unknown_fields=True):
    content: Content


class Input(Struct):
    id: UUID
    session: UUID
    turn: UUID
    kind: InputKind
    delivery: Delivery
    content: list[TextPart]
    status: InputStatus
    priority: Priority
    revision: Count
    received_at: Instant
    expires_at: Instant | None
    model: str | None


class Turn(Struct):
    """That of an input which waits in line is `queued`. If the input is withdrawn it is `cancelled`, without an
    `ended_at` where it never came to the head of the queue.
    """

    id: UUID
    session: UUID
    input: UUID
    status: TurnStatus
    attempt: Count
    faults: Count
    reason: str | None
    error: str | None
    worker: str | None
    agent_version: int | None
    not_before: Instant | None
    created_at: Instant
    started_at: Instant | None
    ended_at: Instant | None
    model: str | None


class Interrupted(Struct):
    """Whether a turn was at work. One that waits for a decision or for a budget is not: cancel it by its id."""

    interrupted: bool


class Inputs(Struct):
    data: list[Input]
    next_cursor: str | None


class Turns(Struct):
    data: list[Turn]
    next_cursor: str | None
