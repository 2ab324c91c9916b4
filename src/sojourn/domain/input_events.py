"""What becomes of an input between its receipt and its place in the transcript."""

from dataclasses import dataclass, field
from typing import ClassVar

from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart
from sojourn.domain.ids import InputId, TurnId
from sojourn.domain.kinds import Delivery, InputKind, Json


@dataclass(frozen=True, slots=True, kw_only=True)
class InputReceived:
    """`turn` is the id that the input's own turn will have, unless the input is delivered as a steer.

    `payload` is what an agent behind HTTP is sent beside the text: the JSON text of an object, as its client wrote it;
    None where nobody said whether there is such a thing. `model` takes the place of the agent's for the turn that the
    input starts. `facets` holds what a dialect's client said of it and the core has no word for, by the name of the
    dialect.
    """

    type: ClassVar[str] = "input.received"
    v: ClassVar[int] = 2
    input: InputId
    turn: TurnId
    kind: InputKind
    delivery: Delivery
    content: tuple[TextPart, ...]
    by: Actor
    facets: dict[str, Json] = field(default_factory=dict[str, Json])
    payload: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputEdited:
    type: ClassVar[str] = "input.edited"
    v: ClassVar[int] = 1
    input: InputId
    revision: int
    content: tuple[TextPart, ...]
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class InputMoved:
    """It stands directly before `before` in the queue now, with its priority; None is the end of the queue."""

    type: ClassVar[str] = "input.moved"
    v: ClassVar[int] = 1
    input: InputId
    revision: int
    before: InputId | None
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
