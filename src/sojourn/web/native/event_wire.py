"""Entries of the log and what a stream tells beside them, in the native API's own format."""

from typing import Literal
from uuid import UUID

from msgspec import Raw, Struct

from sojourn.web.native.wire import Count, Instant


class Event(Struct):
    """An entry of the log. `data` is as stored; large data is `{"blob": {"sha256": …, "size": …}}`."""

    seq: int
    id: UUID
    type: str
    v: int
    at: Instant
    turn: UUID | None
    data: Raw


class Preview(Struct):
    """Text of a message being written, from character `offset`. Not in the log; the message's event is."""

    message: UUID
    offset: Count
    text: str


class CaughtUp(Struct):
    """What follows is live: the log ended at `seq` when the stream began."""

    seq: int


class Gap(Struct):
    """The log before `first_seq` is gone by retention."""

    first_seq: int


class Closing(Struct):
    """The server ends the stream; after `shutdown` it may be taken up again."""

    reason: Literal["shutdown", "session_deleted"]


class Events(Struct):
    """`next_cursor` is the seq of the page's last event."""

    data: list[Event]
    next_cursor: str | None
