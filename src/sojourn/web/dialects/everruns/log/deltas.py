"""A message while it is being written, for one client: what it was sent of it, and what is next. Pure."""

from collections.abc import Callable
from uuid import UUID

from sojourn.domain.feed import Preview
from sojourn.domain.ids import MessageId
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.pen import Subject
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire.event import Context, Data, Event

# The message that is being written and its text so far, as far as this process knows.
Partial = Callable[[], tuple[MessageId, str] | None]


class Deltas:
    """Gathers previews into deltas, each with all of the text before it, so that late joiners need no history."""

    def __init__(self, subject: Subject, partial: Partial) -> None:
        self._subject = subject
        self._partial = partial
        self._message: MessageId | None = None
        self._text = ""
        self._sent = 0
        self._made: UUID | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there is text that was not sent."""
        return self._made is not None

    def add(self, preview: Preview) -> None:
        if preview.message != self._message:
            self._message, self._text = preview.message, self._before(preview)
            self._sent = len(self._text)
        if preview.offset > len(self._text):
            # Previews are best effort. What was missed is in the completed message, and in no delta.
            return
        self._text = self._text[: preview.offset] + preview.text
        self._sent = min(self._sent, preview.offset)
        self._made = preview.id

    def _before(self, preview: Preview) -> str:
        """What was written before this client came."""
        partial = self._partial() if preview.offset else None
        if partial is None or partial[0] != preview.message:
            return ""
        return partial[1][: preview.offset]

    def take(self, seq: int, context: Context) -> Event | None:
        """What is waiting, as an event behind ours with that seq."""
        if self._made is None or self._message is None or not isinstance(context.turn_id, str):
            return None
        made, self._made = self._made, None
        data: Data = {
            "turn_id": context.turn_id,
            "message_id": ids.text("message", self._message),
            "delta": self._text[self._sent :],
            "accumulated": self._text,
        }
        self._sent = len(self._text)
        sequence = cursors.sequence(seq, cursors.LAST_PART)
        return Event(
            id=ids.text("event", cursors.event_id(self._subject.session, made, sequence)),
            type="output.message.delta",
            ts=stamp(cursors.made_at(made)),
            session_id=ids.text("session", self._subject.session),
            context=context,
            data=data,
        )
