"""Opaque cursors: a place in one list of one organisation, and worth nothing in any other."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, Generic, TypeVar

import msgspec

from sojourn.domain.ids import OrgId
from sojourn.web.kit.refusals import BadRequest

P = TypeVar("P")
R = TypeVar("R")

_BINDING_BYTES: Final = 8


class Cursors(Generic[P]):
    """Writes and reads the cursors of one list.

    `place` is the type of a place in it, `name` its own. A cursor repeats a digest of what it was made for (the
    organisation and whatever else selects the rows). It is no secret and needs no signature: a forged one leads
    to another place among the rows that its bearer may read anyway.
    """

    def __init__(self, name: str, place: type[P]) -> None:
        self._name = name
        self._decoder = msgspec.msgpack.Decoder(place)

    def write(self, place: P, org: OrgId, *selection: object) -> str:
        return _text(self._binding(org, selection) + msgspec.msgpack.encode(place))

    def read(self, cursor: str, org: OrgId, *selection: object) -> P:
        """BadRequest for a cursor of another list, or for none at all."""
        try:
            data = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            place = self._decoder.decode(data[_BINDING_BYTES:])
        except (ValueError, msgspec.DecodeError):
            raise _not_ours() from None
        # The decoder skips what is no base64, so only what it gives back unchanged is a cursor.
        if _text(data) != cursor or data[:_BINDING_BYTES] != self._binding(org, selection):
            raise _not_ours()
        return place

    def _binding(self, org: OrgId, selection: tuple[object, ...]) -> bytes:
        made_for = repr((self._name, str(org), selection))
        return blake2b(made_for.encode(), digest_size=_BINDING_BYTES).digest()


def cut(rows: Sequence[R], limit: int) -> tuple[Sequence[R], R | None]:
    """A page of `rows`, of which one more than `limit` was asked for, and the row to go on behind, if any is left."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], rows[limit - 1]


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _not_ours() -> BadRequest:
    return BadRequest("is not a cursor of this list", "cursor")
