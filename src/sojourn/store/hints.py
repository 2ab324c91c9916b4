"""What waits to be told to other processes, and its form on the way: JSON that fits into one notification."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from sojourn.domain.feed import Preview
from sojourn.domain.ids import MessageId, OrgId, SessionId, TurnId
from sojourn.ports.wakeups import Hint

# Postgres takes payloads of less than 8,000 bytes.
MAX_PAYLOAD_BYTES: Final = 7_999
# More waiting sessions than this cannot fit.
MAX_HINTS: Final = 100
# What a preview may hold beside its text, and what its text may take at most once it is written as JSON.
MAX_PREVIEW_BYTES: Final = 7_500
PREVIEW_OVERHEAD_BYTES: Final = 150
# Texts that wait. A process that cannot send for long, or whose models write more than a line carries, drops them.
MAX_PREVIEW_CHARACTERS: Final = 500_000


class WireHint(msgspec.Struct, array_like=True, frozen=True):
    org: UUID
    session: UUID
    head: int
    is_ready: bool
    ends_message: bool
    is_deleted: bool
    stopped: tuple[UUID, ...]
    ended: tuple[UUID, ...]


class WirePreview(msgspec.Struct, array_like=True, frozen=True):
    org: UUID
    session: UUID
    message: UUID
    offset: int
    text: str


class Notice(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True, frozen=True):
    """One notification. `everything` stands for hints that were too many; `joined` comes of a new listener.

    `origin` names the process: whoever notifies hears it too, and a pooler may hide which connection it came from.
    """

    origin: str = ""
    hints: tuple[WireHint, ...] = ()
    previews: tuple[WirePreview, ...] = ()
    everything: bool = False
    joined: bool = False


_encode: Final = msgspec.json.Encoder().encode
read_notice: Final = msgspec.json.Decoder(Notice).decode


def write_notice(notice: Notice) -> str:
    return _encode(notice).decode()


def hint_of(wire: WireHint) -> Hint:
    return Hint(
        OrgId(wire.org),
        SessionId(wire.session),
        head=wire.head,
        is_ready=wire.is_ready,
        ends_message=wire.ends_message,
        is_deleted=wire.is_deleted,
        stopped=frozenset(TurnId(turn) for turn in wire.stopped),
        ended=frozenset(MessageId(message) for message in wire.ended),
    )


def preview_of(wire: WirePreview) -> tuple[OrgId, Preview]:
    return OrgId(wire.org), Preview(SessionId(wire.session), MessageId(wire.message), wire.offset, wire.text)


class WaitingHints:
    """One hint a session. Too many of them become one word for everything, which costs the others a query or two."""

    def __init__(self, origin: str = "") -> None:
        self._everything = write_notice(Notice(origin=origin, everything=True))
        self._origin = origin
        self._hints: dict[tuple[OrgId, SessionId], Hint] = {}
        self._overflows = False

    def __bool__(self) -> bool:
        return self._overflows or bool(self._hints)

    def add(self, hint: Hint) -> None:
        if self._overflows:
            return
        place = (hint.org, hint.session)
        waiting = self._hints.get(place)
        self._hints[place] = hint if waiting is None else waiting.and_then(hint)
        if len(self._hints) > MAX_HINTS:
            self._overflows = True
            self._hints = {}

    def overflow(self) -> None:
        """Nobody knows which of the hints that were taken have been sent."""
        self._overflows = True
        self._hints = {}

    def take(self) -> str:
        """The payload that tells all of them, which then wait no more."""
        hints, self._hints = self._hints, {}
        overflows, self._overflows = self._overflows, False
        if overflows:
            return self._everything
        payload = write_notice(Notice(self._origin, tuple(_wire_of(hint) for hint in hints.values())))
        # Nothing in it takes more than a byte a character.
        return payload if len(payload) <= MAX_PAYLOAD_BYTES else self._everything


def _wire_of(hint: Hint) -> WireHint:
    return WireHint(
        hint.org,
        hint.session,
        hint.head,
        hint.is_ready,
        hint.ends_message,
        hint.is_deleted,
        tuple(hint.stopped),
        tuple(hint.ended),
    )


@dataclass(slots=True)
class _Text:
    message: MessageId
    offset: int
    text: str


class WaitingPreviews:
    """The texts of the messages being written, joined while they wait. Each payload is of as many as it holds."""

    def __init__(self, origin: str = "") -> None:
        self._origin = origin
        self._texts: OrderedDict[tuple[OrgId, SessionId], _Text] = OrderedDict()
        self._characters = 0

    def __bool__(self) -> bool:
        return bool(self._texts)

    def add(self, org: OrgId, preview: Preview) -> None:
        waiting = self._texts.get((org, preview.session))
        if (
            waiting is not None
            and waiting.message == preview.message
            and preview.offset == waiting.offset + len(waiting.text)
        ):
            waiting.text += preview.text
        else:
            # Another message, or the same one from its beginning, which holds what waited of it.
            self.drop(org, preview.session)
            self._texts[org, preview.session] = _Text(preview.message, preview.offset, preview.text)
        self._characters += len(preview.text)
        if self._characters > MAX_PREVIEW_CHARACTERS:
            self.clear()

    def drop(self, org: OrgId, session: SessionId) -> None:
        """Its message has ended, and is in the log as a whole."""
        waiting = self._texts.pop((org, session), None)
        if waiting is not None:
            self._characters -= len(waiting.text)

    def clear(self) -> None:
        self._texts.clear()
        self._characters = 0

    def take(self) -> str:
        """A payload of what fits; the rest waits, behind what others have waited with."""
        room = MAX_PREVIEW_BYTES
        taken: list[WirePreview] = []
        for place in list(self._texts):
            room -= PREVIEW_OVERHEAD_BYTES
            if room <= 0:
                break
            waiting = self._texts[place]
            piece = _fitting(waiting.text, room)
            if not piece:
                break
            del self._texts[place]
            room -= len(_encode(piece))
            self._characters -= len(piece)
            taken.append(WirePreview(*place, waiting.message, waiting.offset, piece))
            if len(piece) < len(waiting.text):
                rest = waiting.text[len(piece) :]
                self._texts[place] = _Text(waiting.message, waiting.offset + len(piece), rest)
        return write_notice(Notice(self._origin, previews=tuple(taken)))


def _fitting(text: str, room: int) -> str:
    """The beginning of the text whose JSON takes no more than `room` bytes and its quotes."""
    piece = text[:room]
    while len(_encode(piece)) - 2 > room:
        # A character takes at most six bytes; halving ends after three steps.
        piece = piece[: len(piece) // 2]
    return piece


def heard(notice: Notice) -> tuple[Sequence[Hint], Sequence[tuple[OrgId, Preview]]]:
    return [hint_of(hint) for hint in notice.hints], [preview_of(preview) for preview in notice.previews]
