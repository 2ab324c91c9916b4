"""What a follower of a session is given, item by item: entries of the log, and what never gets into it."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sojourn.domain.ids import MessageId, SessionId, uuid7
from sojourn.domain.log import StoredEvent


@dataclass(frozen=True, slots=True)
class Preview:
    """Text of a message being written, from `offset` (in characters). Never stored.

    `id` is a UUIDv7 of when it was written, for dialects that give such texts ids.
    """

    session: SessionId
    message: MessageId
    offset: int
    text: str
    id: UUID = field(default_factory=uuid7, compare=False)


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
