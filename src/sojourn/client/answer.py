"""From the items of a stream to the text of messages: previews as they come, corrected by what is committed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sojourn.client.stream_types import Event, Preview, StreamItem
from sojourn.client.types import Json, TurnEnd


@dataclass(frozen=True, slots=True)
class TextAdded:
    """Text to show next. Every piece of a message follows the piece before it, without a hole."""

    turn: UUID
    message: UUID
    text: str


@dataclass(frozen=True, slots=True)
class TextVoided:
    """What was shown of this message does not count.

    Its worker was lost (`is_abandoned`), or the text that is committed differs and follows at once: that of an
    interrupted message, for one, may end before its last previews.
    """

    turn: UUID
    message: UUID
    is_abandoned: bool


@dataclass(frozen=True, slots=True)
class MessageEnded:
    """The committed text. The pieces added since the last `TextVoided`, joined, are equal to it."""

    turn: UUID
    message: UUID
    text: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class TurnClosed:
    """The end of a turn. `reason` is one of the closed set of outcomes; `error` is set where it failed."""

    turn: UUID
    status: TurnEnd
    reason: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TurnAsked:
    """The turn waits for a decision: `Client.decide_ask`. The prompt of an ask about a tool call has its `name`."""

    turn: UUID
    ask: UUID
    kind: str
    prompt: dict[str, Json]


_ENDS: Final[Mapping[str, TurnEnd]] = {
    "turn.completed": "completed",
    "turn.failed": "failed",
    "turn.cancelled": "cancelled",
}

AnswerPart = TextAdded | TextVoided | MessageEnded | TurnAsked | TurnClosed


@dataclass(slots=True)
class _Draft:
    """A message being written. Its turn is not known before its `model.called` has come."""

    turn: UUID | None = None
    text: str = ""
    shown_length: int = 0


class AnswerReader:
    """Give it every item of a stream, with large data filled in; it tells what a reader of the answers should see.

    Previews may be missed, repeated, or come before the event that says whose they are; committed events may not.
    """

    def __init__(self) -> None:
        self._drafts: dict[UUID, _Draft] = {}

    def read(self, item: StreamItem) -> Iterator[AnswerPart]:
        match item:
            case Preview():
                yield from self._preview(item)
            case Event(type="model.called", turn=UUID() as turn, data=data):
                yield from self._call(turn, _id(data["message"]))
            case Event(type="message.completed", turn=UUID() as turn, data=data):
                yield from self._complete(turn, data)
            case Event(type="message.abandoned", turn=UUID() as turn, data=data):
                yield from self._abandon(turn, _id(data["message"]))
            case Event(type="ask.opened", turn=UUID() as turn, data={"prompt": dict() as prompt, **data}):
                yield TurnAsked(turn, _id(data["ask"]), str(data["kind"]), prompt)
            case Event(type=type, turn=UUID() as turn, data=data) if type in _ENDS:
                yield _close(turn, _ENDS[type], data)
            case _:
                return

    def _preview(self, preview: Preview) -> Iterator[AnswerPart]:
        draft = self._drafts.get(preview.message)
        if draft is None:
            # Of a message that has ended, or of one whose call is still to be announced.
            draft = _Draft()
            if preview.offset == 0:
                self._drafts[preview.message] = draft
        known = len(draft.text)
        if preview.offset <= known < preview.offset + len(preview.text):
            draft.text += preview.text[known - preview.offset :]
            yield from _show(preview.message, draft)

    def _call(self, turn: UUID, message: UUID) -> Iterator[AnswerPart]:
        draft = self._drafts.setdefault(message, _Draft())
        draft.turn = turn
        yield from _show(message, draft)

    def _complete(self, turn: UUID, data: dict[str, Json]) -> Iterator[AnswerPart]:
        message, text = _id(data["message"]), str(data["text"])
        draft = self._drafts.pop(message, _Draft())
        shown = draft.text[: draft.shown_length]
        if not text.startswith(shown):
            yield TextVoided(turn, message, is_abandoned=False)
            shown = ""
        if len(text) > len(shown):
            yield TextAdded(turn, message, text[len(shown) :])
        yield MessageEnded(turn, message, text, data.get("interrupted") is True)

    def _abandon(self, turn: UUID, message: UUID) -> Iterator[AnswerPart]:
        draft = self._drafts.pop(message, _Draft())
        if draft.shown_length:
            yield TextVoided(turn, message, is_abandoned=True)


def _show(message: UUID, draft: _Draft) -> Iterator[AnswerPart]:
    if draft.turn is not None and draft.shown_length < len(draft.text):
        piece = draft.text[draft.shown_length :]
        draft.shown_length = len(draft.text)
        yield TextAdded(draft.turn, message, piece)


def _close(turn: UUID, status: TurnEnd, data: Mapping[str, Json]) -> TurnClosed:
    error = data.get("error")
    return TurnClosed(turn, status, str(data["reason"]), None if error is None else str(error))


def _id(value: Json) -> UUID:
    return UUID(str(value))
