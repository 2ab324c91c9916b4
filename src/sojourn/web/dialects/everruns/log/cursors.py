"""Sequences and ids of Everruns' events. Pure.

One of our events may become several of theirs. The `part`-th of the event with seq `s` has the sequence
`16 * s + part`. Its id is the UUIDv7 of our event with other digits in the place of the random ones: the sequence, and
a digest of the session. So ids rise with time, any of them says where in the log it stands, and no table is needed.
A delta is in no log: its id has its own time, and the sequence of the end of the last event before it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

from sojourn.domain.ids import SessionId

PARTS: Final = 16
LAST_PART: Final = PARTS - 1

_DIGEST_BITS: Final = 22
_SEQUENCE_BITS: Final = 40
_RANDOM_BITS: Final = _DIGEST_BITS + _SEQUENCE_BITS
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def sequence(seq: int, part: int = 0) -> int:
    return seq * PARTS + part


def seq_of(sequence: int) -> int:
    """The seq of our event that the sequence belongs to."""
    return sequence // PARTS


def event_id(session: SessionId, made: UUID, sequence: int) -> UUID:
    """`made` is a UUIDv7 of the moment at which the event, or the delta, was made."""
    time = made.int >> _RANDOM_BITS << _RANDOM_BITS
    return UUID(int=time | sequence << _DIGEST_BITS | _digest(session))


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a log. Without a `sequence`, only the events with greater ids than `id` stand behind it."""

    sequence: int
    id: UUID | None = None


START: Final = Cursor(-1)


def resolve(session: SessionId, id: UUID) -> Cursor:
    """Where an event id stands in a session's log. One that was not made for it tells at least its time."""
    if id.version == 7 and id.int & (1 << _DIGEST_BITS) - 1 == _digest(session):
        return Cursor(id.int >> _DIGEST_BITS & (1 << _SEQUENCE_BITS) - 1)
    return Cursor(START.sequence, id)


def made_at(id: UUID) -> datetime:
    """The time of a UUIDv7."""
    return _EPOCH + timedelta(milliseconds=id.int >> 80)


def _digest(session: SessionId) -> int:
    digest = blake2b(session.bytes, digest_size=4).digest()
    return int.from_bytes(digest) & (1 << _DIGEST_BITS) - 1
