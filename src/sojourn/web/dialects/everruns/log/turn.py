"""What of a turn has been told so far: all that a later event of the same turn needs to know."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sojourn.domain.content import ToolStatus, Usage
from sojourn.domain.events import AskOpened, MessageCompleted, ModelCalled, ModelCompleted, ToolRequested
from sojourn.domain.ids import InputId, MessageId, TurnId
from sojourn.domain.log import StoredEvent

NO_USAGE: Final = Usage()


@dataclass(slots=True)
class Answer:
    """An answer that is told once all that it asks for is known: in the log its tool requests follow it."""

    stored: StoredEvent
    said: MessageCompleted
    completed: ModelCompleted | None = None
    tools: list[ToolRequested] = field(default_factory=list[ToolRequested])


@dataclass(slots=True)
class Acting:
    """The tools of one model call. `told_at` is when their start was told."""

    requested: dict[int, ToolRequested] = field(default_factory=dict[int, ToolRequested])
    results: dict[int, ToolStatus] = field(default_factory=dict[int, ToolStatus])
    started_at: dict[int, datetime] = field(default_factory=dict[int, datetime])
    told_at: datetime | None = None


@dataclass(slots=True)
class Telling:
    """`message` is the one of the last model call, `called` that call while it is not answered.

    `abandoned` says that the last call was given up, `compacting_at` when a summary was begun that there is not yet.
    """

    turn: TurnId
    input: InputId | None = None
    started_at: datetime | None = None
    calls: int = 0
    tools: int = 0
    usage: Usage = NO_USAGE
    message: MessageId | None = None
    called: ModelCalled | None = None
    called_at: datetime | None = None
    answer: Answer | None = None
    acting: Acting = field(default_factory=Acting)
    asks: list[AskOpened] = field(default_factory=list[AskOpened])
    last_message: MessageId | None = None
    abandoned: bool = False
    compacting_at: datetime | None = None
    last_text: str = ""
