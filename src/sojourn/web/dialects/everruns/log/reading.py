"""Reads a session's log as Everruns' events: all of it, a part of it, or the end of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from sojourn.domain.record import SessionRecord
from sojourn.service.feed import Feed
from sojourn.web.dialects.everruns.harnesses import harness_of
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.messages import messages
from sojourn.web.dialects.everruns.log.past import READ, Past
from sojourn.web.dialects.everruns.log.pen import Subject
from sojourn.web.dialects.everruns.log.sequences import sequence_of
from sojourn.web.dialects.everruns.log.story import Entry, Story
from sojourn.web.dialects.everruns.wire.event import Data, Event

PAGE: Final = 500
# How far back a turn's start is looked for at first.
NEAR: Final = 64

UNEDITED: Final[Data] = {}


def subject_of(record: SessionRecord, fails_stopped: bool = False) -> Subject:
    session = record.session
    return Subject(session.id, session.agent, harness_of(session.runner), fails_stopped)


class Log:
    """The log of one session, up to what it holds when it is read."""

    def __init__(self, feed: Feed, record: SessionRecord, fails_stopped: bool = False) -> None:
        self._feed = feed
        self._org = record.session.org
        self._session = record.session.id
        self._head = record.session.next_seq - 1
        self.subject = subject_of(record, fails_stopped)

    async def between(self, after: int, before: int | None = None) -> list[Event]:
        """The events with a sequence greater than `after`, and lower than `before` where that is given."""
        return await self._told(await self.turn_start(cursors.seq_of(after)), after, before)

    async def next(self, after: int, limit: int) -> list[Event]:
        """The next `limit` events with a sequence greater than `after`; fewer, or none, only at the end."""
        span = limit
        while True:
            # Some of our events are several of theirs, and some are none.
            end = cursors.seq_of(after) + span
            found = await self.between(after, cursors.sequence(end + 1))
            if len(found) >= limit or end >= self._head:
                return found[:limit]
            span *= 4

    async def last(self, limit: int, before: int | None = None) -> list[Event]:
        """The last `limit` events, or the last ones with a sequence lower than `before`."""
        end = self._head if before is None else min(cursors.seq_of(before), self._head)
        span = limit
        while True:
            start = await self.turn_start(end - span)
            told = await self._told(start, cursors.START.sequence, before)
            if len(told) >= limit or start == 1:
                return told[-limit:]
            span *= 4

    async def messages(self) -> list[Data]:
        """The conversation. What was edited before it was read by a turn is as it was read."""
        past = await self._past()
        found = messages(past.lasting(await self.between(cursors.START.sequence)))
        return [message | past.edited.get(str(message["id"]), UNEDITED) for message in found]

    async def lasting(self) -> list[Event]:
        """The events of the conversation as it stands: without what was taken back, and what nobody will read."""
        return (await self._past()).lasting(await self.between(cursors.START.sequence))

    async def _past(self) -> Past:
        past = Past(self._head)
        after = 0
        while page := await self._feed.page(self._org, self._session, after, PAGE, READ):
            for stored in page:
                past.add(stored.seq, (await self._feed.read(stored)).event)
            after = page[-1].seq
        return past

    async def entries(self, after: int) -> AsyncIterator[Entry]:
        while page := await self._feed.page(self._org, self._session, after, PAGE):
            for stored in page:
                yield Entry(stored, (await self._feed.read(stored)).event)
            after = page[-1].seq
            if len(page) < PAGE:
                return
            # On SQLite a read does not suspend: a long log keeps everyone waiting for no more than a page of it.
            await asyncio.sleep(0)

    async def turn_start(self, seq: int) -> int:
        """A seq at or before the given one at which the story may begin: that of a `turn.queued`, or the first."""
        span = NEAR
        while seq > 0:
            low = max(0, seq - span)
            queued = await self._feed.page(self._org, self._session, low, span, ("turn.queued",))
            starts = [stored.seq for stored in queued if stored.seq <= seq]
            if starts:
                return starts[-1]
            if low == 0:
                break
            span *= 8
        return 1

    async def _told(self, start: int, after: int, before: int | None) -> list[Event]:
        story = Story(self.subject)
        told: list[Event] = []
        async for entry in self.entries(start - 1):
            told.extend(story.tell(entry))
            # An answer that is held back is told after what it is followed by, under an earlier sequence.
            if before is not None and told and sequence_of(told[-1]) >= before:
                break
        told.extend(story.pending())
        return [
            event
            for event in told
            if sequence_of(event) > after and (before is None or sequence_of(event) < before)
        ]
