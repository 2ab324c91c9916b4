"""What a follower of a session is given, item by item: entries of the log, and what never gets into it."""

from dataclasses import dataclass
from typing import Literal

from sojourn.domain.ids import MessageId, SessionId
from sojourn.domain.log import StoredEvent


@dataclass(frozen=True, slots=True)
class Preview:
    """Text of a message being written, from `offset` (in characters). Never stored."""

    session: SessionId
    message: MessageId
    offset: int
    text: str


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The replay has reached the head that stood when it began: what follows is live."""

    seq: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The log before `first_seq` is gone by retention; the replay goes on from there."""

    first_seq: int


@dataclass(frozen=True, slots=True)
class Closing:
    """The last item of a feed that the server ends."""

    reason: Literal["shutdown", "session_deleted"]


FeedItem = StoredEvent | Preview | CaughtUp | Gap | Closing
