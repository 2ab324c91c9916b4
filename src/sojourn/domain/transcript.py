"""What was said in a session, message by message and with everything a reader is shown of each: one fold of the log.

The fold of `fold.py` is what a model is told; this one keeps the ids and the times as well, and what failed. Both
follow the order of delivery.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart, ToolStatus, Usage
from sojourn.domain.events import (
    InputDelivered,
    InputEdited,
    InputReceived,
    InputWithdrawn,
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    SessionRewound,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    TurnFailed,
)
from sojourn.domain.ids import InputId, MessageId, TurnId
from sojourn.domain.log import LogEntry
from sojourn.domain.timeline import Timeline

# What the fold reads; the rest of a log says nothing that is shown.
TYPES: Final = tuple(
    cls.type
    for cls in (
        InputReceived,
        InputEdited,
        InputWithdrawn,
        InputDelivered,
        ModelCalled,
        MessageCompleted,
        MessageAbandoned,
        ModelCompleted,
        ToolRequested,
        ToolStarted,
        ToolCompleted,
        TurnFailed,
        SessionRewound,
    )
)


@dataclass(slots=True, kw_only=True)
class Said:
    """An input. `at` is when it was received, `delivered` whether a turn has read it."""

    id: InputId
    content: tuple[TextPart, ...]
    by: Actor
    at: datetime
    delivered: bool = False


@dataclass(slots=True, kw_only=True)
class ToolUse:
    """`arguments` is the JSON text as the model wrote it. `status` is None until there is a result."""

    id: str
    name: str
    arguments: str
    requested_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    status: ToolStatus | None = None
    output: str = ""


@dataclass(slots=True, kw_only=True)
class Answered:
    """A message of the agent, from the call of its model on. `completed_at` is None while it is being written.

    `parent` is the input that stands before it, `error` why its turn failed.
    """

    id: MessageId
    turn: TurnId | None
    parent: InputId | None
    at: datetime
    completed_at: datetime | None = None
    text: str = ""
    tools: dict[int, ToolUse] = field(default_factory=dict[int, ToolUse])
    model: str | None = None
    provider: str | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    interrupted: bool = False
    error: str | None = None


@dataclass(slots=True)
class Transcript:
    """`entries` are in the order of delivery, `waiting` the inputs that no turn has read yet, in that of receipt."""

    waiting: dict[InputId, Said] = field(default_factory=dict[InputId, Said])
    _told: Timeline[Said | Answered] = field(default_factory=Timeline[Said | Answered])
    _last_input: InputId | None = None

    @property
    def entries(self) -> list[Said | Answered]:
        return self._told.items

    def extend(self, entries: Iterable[tuple[datetime, LogEntry]]) -> None:
        for at, entry in entries:
            self._apply(at, entry)

    def _apply(self, at: datetime, entry: LogEntry) -> None:
        match entry.event:
            case InputReceived() as received:
                said = Said(id=received.input, content=received.content, by=received.by, at=at)
                self.waiting[received.input] = said
            case InputEdited(input=input, content=content):
                if input in self.waiting:
                    self.waiting[input].content = content
            case InputWithdrawn(input=input):
                self.waiting.pop(input, None)
            case InputDelivered(input=input):
                self._deliver(entry.seq, input)
            case ModelCalled() as called:
                self._answer(called.message, at, entry).model = called.model
            case MessageAbandoned(message=message):
                self._told.keep(lambda one: one.id != message)
            case SessionRewound(to=to):
                self._rewind(entry.seq, to)
            case _:
                self._apply_answer(at, entry)

    def _apply_answer(self, at: datetime, entry: LogEntry) -> None:
        match entry.event:
            case MessageCompleted() as completed:
                answer = self._answer(completed.message, at, entry)
                answer.text, answer.interrupted = completed.text, completed.interrupted
                answer.completed_at = at
            case ModelCompleted() as done:
                answer = self._current(at, entry)
                answer.model, answer.provider, answer.usage = done.model, done.provider, done.usage
                answer.finish_reason, answer.completed_at = done.finish_reason, answer.completed_at or at
            case ToolRequested() as tool:
                use = ToolUse(id=tool.id, name=tool.name, arguments=tool.arguments, requested_at=at)
                self._current(at, entry).tools[tool.index] = use
            case ToolStarted(index=index):
                self._current(at, entry).tools[index].started_at = at
            case ToolCompleted(index=index, status=status, output=output):
                use = self._current(at, entry).tools[index]
                use.status, use.output, use.completed_at = status, output, at
            case TurnFailed(error=error):
                answer = self._current(at, entry)
                answer.error, answer.completed_at = error, answer.completed_at or at
            case _:
                pass

    def _deliver(self, seq: int, input: InputId) -> None:
        said = self.waiting.pop(input, None)
        if said is not None:
            said.delivered = True
            self._told.add(seq, said)
            self._last_input = input

    def _rewind(self, seq: int, to: int) -> None:
        self._told.rewind(seq, to)
        inputs = [one.id for one in self.entries if isinstance(one, Said)]
        self._last_input = inputs[-1] if inputs else None

    def _answer(self, message: MessageId, at: datetime, entry: LogEntry) -> Answered:
        """The answer of that id, which begins now if it is new."""
        for one in reversed(self.entries):
            if isinstance(one, Answered) and one.id == message:
                return one
        answer = Answered(id=message, turn=entry.turn, parent=self._last_input, at=at)
        self._told.add(entry.seq, answer)
        return answer

    def _current(self, at: datetime, entry: LogEntry) -> Answered:
        """The last answer of the entry's turn; a turn that has said nothing yet gets one of a fixed id."""
        for one in reversed(self.entries):
            if isinstance(one, Answered) and one.turn == entry.turn:
                return one
        name = uuid5(entry.turn or UUID(int=0), "answer")
        return self._answer(MessageId(name), at, entry)
