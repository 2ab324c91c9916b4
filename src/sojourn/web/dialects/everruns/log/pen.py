"""Writes what one event of our log becomes."""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from msgspec import UNSET

from sojourn.domain.ids import AgentId, InputId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.turn import Telling
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire.event import Context, Data, Event


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a session's events are about. `fails_stopped` says of a cancelled or sealed turn also that it failed,

    for clients that wait for that.
    """

    session: SessionId
    agent: AgentId
    harness: UUID
    fails_stopped: bool = False


NO_TURN: Final = Context()


@dataclass(slots=True)
class Pen:
    """`stored` is our event; its parts get rising sequences. `telling` is its turn, None where it has none."""

    subject: Subject
    stored: StoredEvent
    telling: Telling | None
    events: list[Event] = field(default_factory=list[Event])

    @property
    def turn(self) -> Telling:
        assert self.telling is not None, "the event of a turn names its turn"
        return self.telling

    @property
    def turn_id(self) -> str:
        return ids.text("turn", self.turn.turn)

    def say(
        self, type: str, data: Data, input: InputId | None = None, tags: list[str] | None = None
    ) -> Event:
        sequence = cursors.sequence(self.stored.seq, len(self.events))
        event = Event(
            id=ids.text("event", self.next_id()),
            type=type,
            ts=stamp(self.stored.at),
            session_id=ids.text("session", self.subject.session),
            context=context_of(self.telling, input),
            data=data,
            sequence=sequence,
            tags=tags or UNSET,
        )
        self.events.append(event)
        return event

    def next_id(self) -> UUID:
        """The id of what is said next, which is also that of a message that it makes up."""
        sequence = cursors.sequence(self.stored.seq, len(self.events))
        return cursors.event_id(self.subject.session, self.stored.id, sequence)


def context_of(telling: Telling | None, input: InputId | None = None) -> Context:
    if telling is None:
        return NO_TURN if input is None else Context(input_message_id=ids.text("message", input))
    input = input or telling.input
    return Context(
        turn_id=ids.text("turn", telling.turn),
        input_message_id=UNSET if input is None else ids.text("message", input),
        exec_id=UNSET if telling.message is None else f"exec_{telling.message.hex}",
        trace_id=telling.turn.hex,
    )
