"""What a turn says, piece by piece and whole. Pure."""

from dataclasses import dataclass, field
from typing import Final

from sojourn.domain import events as e
from sojourn.domain.ask import Ask
from sojourn.domain.errors import DomainError, NotFound
from sojourn.domain.feed import Closing, Preview
from sojourn.domain.ids import AskId, MessageId
from sojourn.service.invocations import HeldUp, TurnItem
from sojourn.web.dialects.agentcore import wire
from sojourn.web.dialects.agentcore.refusals import ServerStops, TurnNotCompleted
from sojourn.web.kit.refusals import RequestRefused

# Between two messages of a turn.
BREAK: Final = "\n\n"

Piece = str | wire.Abandoned


@dataclass(slots=True)
class Answer:
    """The pieces of a turn that loses no message are its texts, in order, cut anywhere."""

    texts: list[str] = field(default_factory=list[str])
    waiting: list[wire.Ask] | None = None
    error: DomainError | RequestRefused | None = None
    _asks: dict[AskId, wire.Ask] = field(default_factory=dict[AskId, wire.Ask])
    _message: MessageId | None = None
    # Characters of the open message that were given out, and of the break before it.
    _given: int = 0
    _broken: int = 0

    @property
    def text(self) -> str:
        return BREAK.join(self.texts)

    def take(self, item: TurnItem) -> list[Piece]:
        """What is to be streamed for `item`."""
        match item:
            case Preview(message=message, offset=offset, text=text):
                return self._more(message, offset, text)
            case e.MessageCompleted(message=message, text=text):
                pieces = self._more(message, 0, text)
                self._close()
                if text:
                    self.texts.append(text)
                return pieces
            case e.MessageAbandoned():
                return self._abandon()
            case _:
                self._note(item)
                return []

    def _more(self, message: MessageId, offset: int, text: str) -> list[Piece]:
        if message != self._message:
            self._close()
            self._message = message
        # A preview before this one was missed: what it said comes with the message itself.
        if offset > self._given:
            return []
        new = text[self._given - offset :]
        if not new:
            return []
        is_later = not self._given and bool(self.texts)
        if is_later:
            self._broken = len(BREAK)
        self._given += len(new)
        return [BREAK + new if is_later else new]

    def _abandon(self) -> list[Piece]:
        void = self._given + self._broken
        self._close()
        return [wire.Abandoned(void)] if void else []

    def _close(self) -> None:
        self._message, self._given, self._broken = None, 0, 0

    def _note(self, item: TurnItem) -> None:
        match item:
            case e.AskOpened(ask=id, kind=kind, prompt=prompt):
                self._asks[id] = wire.Ask(str(id), kind, prompt)
            case e.AskDecided(ask=id):
                self._asks.pop(id, None)
            case e.TurnWaiting():
                self.waiting = list(self._asks.values())
            case e.TurnResumed():
                self.waiting = None
            case HeldUp(asks):
                self.waiting = [_ask(ask) for ask in asks]
            case _ if (error := _error(item)) is not None:
                self.error, self.waiting = error, None
            case _:
                pass


def _ask(ask: Ask) -> wire.Ask:
    return wire.Ask(str(ask.id), ask.kind, dict(ask.prompt))


def _error(item: TurnItem) -> DomainError | RequestRefused | None:
    """Why there is no answer, if `item` says so."""
    match item:
        case e.TurnFailed(error=error, reason=reason):
            return TurnNotCompleted(error or f"The turn failed: {reason}.")
        case e.TurnCancelled(reason=reason):
            return TurnNotCompleted(f"The turn was stopped: {reason}.")
        case e.InputWithdrawn():
            return TurnNotCompleted("The input was withdrawn before its turn began.")
        case Closing(reason="shutdown"):
            return ServerStops()
        case Closing():
            return NotFound("session", "any more")
        case _:
            return None
