"""What the native API says of inputs and turns."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.native.wire import Content, Count, Instant, TextPart

InputStatus = Literal["queued", "delivered", "withdrawn"]

InputKind = Literal["message", "tool_result", "decision", "interrupt"]

Delivery = Literal["queue", "steer", "interrupt"]

TurnStatus = Literal[
    "queued", "starting", "running", "waiting", "retrying", "completed", "failed", "cancelled"
]


class NewInput(Struct, forbid_unknown_fields=True):
    """`expected_seq` asserts that the log still ends there: 409 if something happened since."""

    content: Content
    delivery: Delivery = "queue"
    expected_seq: Annotated[int, Meta(ge=0, le=2**63 - 1)] | UnsetType = UNSET


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
    revision: Count
    received_at: Instant
    expires_at: Instant | None


class Turn(Struct):
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


class Inputs(Struct):
    data: list[Input]
    next_cursor: str | None


class Turns(Struct):
    data: list[Turn]
    next_cursor: str | None
