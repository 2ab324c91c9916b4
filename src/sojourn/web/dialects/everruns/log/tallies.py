"""How many events of which type each session's log tells, kept for the sessions that were asked for last.

A log only grows, so a count goes on from where it ended, until the beginning of the log is cut.
"""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Final

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.service.feed import Feed
from sojourn.web.dialects.everruns.log.reading import Log
from sojourn.web.dialects.everruns.log.story import Story
from sojourn.web.dialects.everruns.wire.event import Event

KEPT: Final = 1_000
_ERRORS: Final = frozenset({"turn.failed"})


@dataclass(slots=True)
class Tally:
    """Counts by type, `errors` among them, and the instants of the first and last event."""

    types: Counter[str] = field(default_factory=Counter[str])
    errors: int = 0
    first_ts: str | None = None
    last_ts: str | None = None

    @property
    def total(self) -> int:
        return self.types.total()

    def add(self, events: list[Event]) -> None:
        for event in events:
            self.types[event.type] += 1
            self.errors += event.type in _ERRORS or event.data.get("success") is False
            self.first_ts = self.first_ts or event.ts
            self.last_ts = event.ts

    def copy(self) -> "Tally":
        return Tally(self.types.copy(), self.errors, self.first_ts, self.last_ts)


@dataclass(slots=True)
class _Kept:
    story: Story
    first_seq: int
    tally: Tally = field(default_factory=Tally)
    seq: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Tallies:
    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._kept: OrderedDict[tuple[OrgId, SessionId], _Kept] = OrderedDict()

    async def of(self, record: SessionRecord) -> Tally:
        log = Log(self._feed, record)
        place = (record.session.org, record.session.id)
        kept = self._kept.get(place)
        if kept is None or kept.first_seq != record.first_seq:
            kept = self._kept[place] = _Kept(Story(log.subject), record.first_seq)
        self._kept.move_to_end(place)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        # Of two that ask at once, the second counts on from where the first ended.
        async with kept.lock:
            async for entry in log.entries(kept.seq):
                kept.tally.add(kept.story.tell(entry))
                kept.seq = entry.stored.seq
            tally = kept.tally.copy()
            tally.add(kept.story.pending())
            return tally
