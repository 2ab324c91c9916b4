"""What a session's event stream brings."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sojourn.client.json import Json
from sojourn.client.wire import Wire


class Event(Wire, frozen=True, kw_only=True):
    """An entry of a session's log. `seq` is dense from 1 and the only order; `at` informs.

    Types that a newer server adds are passed through. Large `data` is `{"blob": {"sha256", "size"}}`; see
    `Client.fill_in`.
    """

    seq: int
    id: UUID
    type: str
    v: int
    at: datetime
    turn: UUID | None
    data: dict[str, Json]


class Preview(Wire, frozen=True, kw_only=True, tag_field="type", tag="preview"):
    """Text of a message being written, from `offset` in characters. Best effort: some may be missed or repeated."""

    message: UUID
    offset: int
    text: str


class CaughtUp(Wire, frozen=True, kw_only=True, tag_field="type", tag="caught_up"):
    """The replay has reached the head that stood when it began. Comes again after each reconnection."""

    seq: int


class Gap(Wire, frozen=True, kw_only=True, tag_field="type", tag="gap"):
    """The log before `first_seq` is gone by retention; the stream goes on from there."""

    first_seq: int


StreamItem = Event | Preview | CaughtUp | Gap

# Told why the connection was lost, once for each lost connection or failed attempt to get a new one.
LossListener = Callable[[str], None]


def no_listener(cause: str) -> None:
    del cause
