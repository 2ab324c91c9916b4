"""What the processes of one shared store tell each other beside it: hints, best effort. The log says what is so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sojourn.domain.feed import Preview
from sojourn.domain.ids import MessageId, OrgId, SessionId, TurnId


@dataclass(frozen=True, slots=True)
class Hint:
    """What commits changed of a session, for the processes that did not make them.

    `head` is the seq of its last event, 0 where none was appended. `stopped` are turns that whoever runs them holds
    no more, `ended` messages that are not being written any more. `is_ready` says that a turn of it may be claimed,
    `ends_message` that a message has ended whose id is not known.
    """

    org: OrgId
    session: SessionId
    head: int = 0
    is_ready: bool = False
    ends_message: bool = False
    is_deleted: bool = False
    stopped: frozenset[TurnId] = frozenset()
    ended: frozenset[MessageId] = frozenset()

    def and_then(self, later: "Hint") -> "Hint":
        """Both, of one session, as one."""
        return Hint(
            self.org,
            self.session,
            max(self.head, later.head),
            self.is_ready or later.is_ready,
            self.ends_message or later.ends_message,
            self.is_deleted or later.is_deleted,
            self.stopped | later.stopped,
            self.ended | later.ended,
        )


class Listener(Protocol):
    """What hears the other processes. Called on the event loop, and waits for nothing."""

    def hear(self, hints: Sequence[Hint]) -> None: ...
    def hear_preview(self, org: OrgId, preview: Preview) -> None: ...
    def look_around(self) -> None:
        """Hints were lost, or were too many to name: whatever is watched or run here may have changed."""
        ...

    def welcome(self) -> None:
        """Another process listens from now on, and knows nothing of the messages being written here."""
        ...


class Wakeups(Protocol):
    """The way to the other processes. A store that one process owns has none."""

    def tell(self, hint: Hint) -> None:
        """After the commit that it is of. Hints that wait to be sent become one."""
        ...

    def preview(self, org: OrgId, preview: Preview) -> None: ...
    async def run(self, listener: Listener) -> None:
        """Send and listen until cancelled, whatever becomes of the connection."""
        ...
