"""One client's stream of events: the log from a cursor on, then what comes, until it is cycled or the server stops."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Gap, Preview
from sojourn.domain.log import StoredEvent
from sojourn.service.feed import Feed
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.deltas import Deltas, Partial
from sojourn.web.dialects.everruns.log.filters import Kinds
from sojourn.web.dialects.everruns.log.pen import Subject
from sojourn.web.dialects.everruns.log.story import Entry, Story
from sojourn.web.dialects.everruns.wire.event import Event
from sojourn.web.kit.ahead import Ahead, Nothing

RETRY_MS: Final = 100
CYCLE_SECONDS: Final = 300.0
CYCLE_JITTER: Final = 0.2
# Deltas repeat the text before them, so each costs more than the one before: at most ten a second are sent.
DELTA_SECONDS: Final = 0.1
# What belongs to an answer is in the same transaction, and here at once.
REST_SECONDS: Final = 0.2
ITEMS_A_TURN: Final = 64

_encode: Final = msgspec.json.Encoder().encode

CONNECTED: Final = b'event: connected\nretry: %d\ndata: {"status":"connected"}\n\n' % RETRY_MS


def disconnecting(reason: Literal["connection_cycle", "shutdown", "error"]) -> bytes:
    data = _encode({"reason": reason, "retry_ms": RETRY_MS})
    return b"event: disconnecting\nretry: %d\ndata: %b\n\n" % (RETRY_MS, data)


def frame(event: Event) -> bytes:
    """Only what is stored has an `id:`, so that a client that goes by it resumes behind what it has for good."""
    id = b"" if event.sequence is msgspec.UNSET else b"id: %b\n" % event.id.encode()
    return b"event: %b\n%bretry: %d\ndata: %b\n\n" % (event.type.encode(), id, RETRY_MS, _encode(event))


@dataclass(frozen=True, slots=True)
class Wanted:
    """`since` is the place behind which the client wants to hear."""

    since: cursors.Cursor
    kinds: Kinds

    def has(self, event: Event) -> bool:
        if not self.kinds.has(event.type):
            return False
        if not isinstance(event.sequence, int):
            return True
        if self.since.id is not None and event.id <= ids.text("event", self.since.id):
            return False
        return event.sequence > self.since.sequence


class Telegraph:
    """`feed` understands the events of `items`, which begin where a story may begin."""

    def __init__(
        self,
        feed: Feed,
        subject: Subject,
        wanted: Wanted,
        partial: Partial,
        cycle_seconds: float = CYCLE_SECONDS,
    ) -> None:
        self._feed = feed
        self._wanted = wanted
        self._story = Story(subject)
        self._deltas = Deltas(subject, partial)
        self._seq = 0
        self._now: Callable[[], float] = asyncio.get_running_loop().time
        self._ends_at = self._now() + cycle_seconds * random.uniform(1 - CYCLE_JITTER, 1 + CYCLE_JITTER)
        self._delta_at = 0.0

    async def frames(self, items: AsyncGenerator[FeedItem, None]) -> AsyncIterator[bytes]:
        yield CONNECTED
        async with aclosing(items):
            async for item in items:
                for event in await self._take(item):
                    yield frame(event)
                if self._seq % ITEMS_A_TURN == 0:
                    # What is read for its own sake, or filtered out, suspends nowhere on SQLite.
                    await asyncio.sleep(0)
                if isinstance(item, Closing):
                    yield _last_word(item)
                    return
                if isinstance(item, CaughtUp):
                    break
            async with aclosing(Ahead(items)) as ahead:
                async for encoded in self._follow(ahead):
                    yield encoded

    async def _follow(self, ahead: Ahead[FeedItem]) -> AsyncIterator[bytes]:
        """Live, with an eye on the clock."""
        while True:
            item = await ahead.within(self._patience_seconds())
            if item is Nothing.MORE:
                return
            told = self._lull() if item is Nothing.YET else await self._take(item)
            for event in told:
                yield frame(event)
            if isinstance(item, Closing):
                yield _last_word(item)
                return
            if self._now() >= self._ends_at:
                yield disconnecting("connection_cycle")
                return

    def _patience_seconds(self) -> float:
        until = self._ends_at - self._now()
        if self._story.holds_back:
            until = min(until, REST_SECONDS)
        if self._deltas.is_waiting:
            until = min(until, self._delta_at - self._now())
        return until

    def _lull(self) -> list[Event]:
        """What was waiting for something that did not come."""
        return [*self._delta(), *filter(self._wanted.has, self._story.rest())]

    async def _take(self, item: FeedItem) -> list[Event]:
        match item:
            case StoredEvent():
                before = list(self._delta())
                entry = Entry(item, (await self._feed.read(item)).event)
                self._seq = item.seq
                return [*before, *filter(self._wanted.has, self._story.tell(entry))]
            case Preview():
                return self._preview(item)
            case CaughtUp() | Gap() | Closing():
                return []

    def _preview(self, preview: Preview) -> list[Event]:
        if not self._wanted.kinds.has("output.message.delta"):
            return []
        told = list(filter(self._wanted.has, self._story.rest()))
        self._deltas.add(preview)
        if self._now() >= self._delta_at:
            told.extend(self._delta())
        return told

    def _delta(self) -> Iterator[Event]:
        event = self._deltas.take(self._seq, self._story.context)
        if event is not None:
            self._delta_at = self._now() + DELTA_SECONDS
            yield event


def _last_word(closing: Closing) -> bytes:
    """There is no word for a session that was deleted: whoever comes back finds that it is not there."""
    return disconnecting("shutdown" if closing.reason == "shutdown" else "error")
