"""What a log says later of the messages that stand in it. Pure."""

from typing import Final

from sojourn.domain import events as e
from sojourn.domain.ids import InputId
from sojourn.domain.kinds import Json
from sojourn.domain.timeline import Lasting
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.sequences import sequence_of
from sojourn.web.dialects.everruns.wire.event import Data, Event

READ: Final = (e.InputEdited.type, e.InputWithdrawn.type, e.InputDelivered.type, e.SessionRewound.type)


class Past:
    """`edited` is what was changed of messages, by their ids. What comes behind `head` is not looked at."""

    def __init__(self, head: int) -> None:
        self._head = head
        self._rewinds: list[tuple[int, int]] = []
        self._delivered: dict[InputId, int] = {}
        self._withdrawn: set[InputId] = set()
        self.edited: dict[str, Data] = {}

    def add(self, seq: int, event: e.Event | None) -> None:
        if seq > self._head:
            return
        match event:
            case e.SessionRewound(to=to):
                self._rewinds.append((seq, to))
            case e.InputDelivered(input=input):
                self._delivered[input] = seq
            case e.InputWithdrawn(input=input):
                self._withdrawn.add(input)
            case e.InputEdited(input=input, content=parts):
                content: list[Json] = [{"type": "text", "text": part.text} for part in parts]
                self.edited[ids.text("message", input)] = {"content": content}
            case _:
                pass

    def lasting(self, events: list[Event]) -> list[Event]:
        """The events that no rewind has taken back, without the messages that no turn has read or ever will."""
        lasts = Lasting.of(self._rewinds, self._head)
        gone = {input for input, seq in self._delivered.items() if not lasts.holds(seq)} | self._withdrawn
        unread = {ids.text("message", input) for input in gone}
        return [
            event
            for event in events
            if lasts.holds(cursors.seq_of(sequence_of(event))) and _message(event) not in unread
        ]


def _message(event: Event) -> str | None:
    """The id of the message that a user has sent by an event."""
    match event.type, event.data:
        case "input.message", {"message": {"id": str(id)}}:
            return id
        case _:
            return None
