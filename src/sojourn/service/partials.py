"""The messages that are being written right now, and their texts so far: by this process's workers and by others'.

What is known of a message is always the beginning of what its model wrote: a preview that does not go on where the
known text ends is not taken. So the text that an interrupt keeps is never wrong, at most short of its newest words.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Final

from sojourn.domain.feed import Preview
from sojourn.domain.ids import MessageId, OrgId, SessionId

# A client may choose its session's id, so an id alone may name sessions of several organisations.
Place = tuple[OrgId, SessionId]

# Previews of an ended message may be on their way for a moment; so many messages do not end within it.
REMEMBERED_ENDS: Final = 1_000


@dataclass(slots=True)
class _Partial:
    message: MessageId
    is_own: bool
    texts: list[str]
    length: int = 0


class Partials:
    def __init__(self) -> None:
        self._known: dict[Place, _Partial] = {}
        self._ended: OrderedDict[MessageId, None] = OrderedDict()

    def add(self, org: OrgId, preview: Preview, is_own: bool) -> Preview | None:
        """What the preview adds to what is known; None if that is nothing, or does not follow on it."""
        place = (org, preview.session)
        known = self._known.get(place)
        if known is None or known.message != preview.message:
            if preview.offset != 0 or preview.message in self._ended:
                return None
            known = self._known[place] = _Partial(preview.message, is_own, [])
        if preview.offset > known.length:
            return None
        if preview.offset < known.length:
            text = preview.text[known.length - preview.offset :]
            preview = replace(preview, offset=known.length, text=text)
        if not preview.text:
            return None
        known.texts.append(preview.text)
        known.length += len(preview.text)
        return preview

    def get(self, org: OrgId, session: SessionId) -> tuple[MessageId, str] | None:
        known = self._known.get((org, session))
        return None if known is None else (known.message, "".join(known.texts))

    def end(self, org: OrgId, session: SessionId, message: MessageId | None = None) -> None:
        """No message of the session is being written; `message` names the one that was, where that is known."""
        known = self._known.pop((org, session), None)
        ended = known.message if known is not None else message
        if ended is not None:
            self._remember(ended)

    def _remember(self, ended: MessageId) -> None:
        self._ended[ended] = None
        if len(self._ended) > REMEMBERED_ENDS:
            self._ended.popitem(last=False)

    def hear_end(self, org: OrgId, session: SessionId, ended: Collection[MessageId]) -> None:
        """Another process says that these messages have ended; by now the one behind them may be being written."""
        known = self._known.get((org, session))
        if known is not None and known.message in ended:
            self.end(org, session)
        for message in ended:
            self._remember(message)

    def own(self) -> Iterator[tuple[OrgId, Preview]]:
        """What this process's workers are writing, each from its beginning."""
        for (org, session), known in self._known.items():
            if known.is_own:
                yield org, Preview(session, known.message, 0, "".join(known.texts))
