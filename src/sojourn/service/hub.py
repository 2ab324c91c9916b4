"""Who watches which session, and the recent items of each watched one. Nothing here is durable.

A subscriber holds a position, never items: one that falls behind the ring reads the log again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sojourn.domain.feed import Closing, Preview
from sojourn.domain.ids import MessageId, OrgId, SessionId, TurnId
from sojourn.domain.log import StoredEvent
from sojourn.ports.turns import Ready

RING: Final = 256

# After these a worker may find something to claim.
_READY_TYPES: Final = frozenset({"turn.queued", "turn.resumed", "turn.reclaimed"})
# After these a worker may be running something that is not its own any more.
_STOP_TYPES: Final = frozenset({"turn.cancelled", "turn.reclaimed"})
# After these no message of the session is being written.
_MESSAGE_ENDS: Final = frozenset({"message.completed", "message.abandoned"})

# After these a session may be driven by somebody else than before, or described differently.
_ROSTER_TYPES: Final = frozenset(
    {"lease.acquired", "lease.released", "session.ended", "session.expired", "session.updated"}
)

Item = StoredEvent | Preview
# A client may choose its session's id, so an id alone may name sessions of several organisations.
Place = tuple[OrgId, SessionId]


@dataclass(frozen=True, slots=True)
class Partial:
    message: MessageId
    texts: list[str]


class Channel:
    """One watched session. `end` is the running number behind the last item, whatever the ring still holds.

    `told` is a seq up to which every follower has read the log, or was woken to read it.
    """

    __slots__ = ("closing", "end", "items", "subscribers", "told", "waiters")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.end = 0
        self.told = 0
        self.closing: Closing | None = None
        self.subscribers = 0
        self.waiters: set[asyncio.Future[None]] = set()

    def push(self, items: Sequence[Item]) -> None:
        self.items.extend(items)
        self.end += len(items)
        # Trimmed at twice its size, so that trimming costs next to nothing per item.
        if len(self.items) > 2 * RING:
            del self.items[:-RING]
        self.wake()

    def since(self, position: int) -> Sequence[Item] | None:
        """The items from `position` on; None if the ring has let some of them go."""
        start = self.end - len(self.items)
        if position < start:
            return None
        return list(islice(self.items, position - start, None))

    def wake(self) -> None:
        waiters, self.waiters = self.waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self, position: int) -> None:
        """Return once there is something behind `position`, or the channel closes."""
        if self.end > position or self.closing is not None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.add(waiter)
        try:
            await waiter
        finally:
            # A follower that goes leaves nothing behind, however long the session stays silent.
            self.waiters.discard(waiter)

    async def grown(self, seq: int, position: int) -> None:
        """Return once an event behind `seq` was pushed at `position` or later, or one may have been missed.

        Never once the channel is closed: nobody is told of anything then.
        """
        while True:
            if self.closing is not None:
                await asyncio.get_running_loop().create_future()
            items = self.since(position)
            if items is None or any(isinstance(item, StoredEvent) and item.seq > seq for item in items):
                return
            position = self.end
            await self.changed(position)


class Hub:
    def __init__(self) -> None:
        self._channels: dict[Place, Channel] = {}
        self._partials: dict[Place, Partial] = {}
        self._on_ready: Callable[[Ready], None] | None = None
        self._on_stop: Callable[[Ready, TurnId | None], None] | None = None
        self._on_driven: Callable[[OrgId, SessionId], None] | None = None
        self._is_closed = False

    def connect_worker(
        self, on_ready: Callable[[Ready], None], on_stop: Callable[[Ready, TurnId | None], None]
    ) -> None:
        """Tell a worker of this process at once what it would otherwise find by polling and at its next write.

        `on_stop` gets the session and the turn that is not the worker's any more, None for any of that session.
        """
        self._on_ready = on_ready
        self._on_stop = on_stop

    def connect_rosters(self, on_driven: Callable[[OrgId, SessionId], None]) -> None:
        """Tell of every session of which a commit of this process may have changed who drives it."""
        self._on_driven = on_driven

    def publish(self, events: Sequence[StoredEvent]) -> None:
        """Called after each commit, on the event loop, before the callers are answered."""
        for event in events:
            place = (event.org, event.session)
            channel = self._channels.get(place)
            if channel is not None:
                channel.push((event,))
                channel.told = max(channel.told, event.seq)
            if event.type in _MESSAGE_ENDS:
                self._partials.pop(place, None)
            if event.type in _READY_TYPES and self._on_ready is not None:
                self._on_ready(Ready(event.org, event.session))
            if event.type in _STOP_TYPES and self._on_stop is not None:
                self._on_stop(Ready(event.org, event.session), event.turn)
            if event.type in _ROSTER_TYPES and self._on_driven is not None:
                self._on_driven(event.org, event.session)

    def preview(self, org: OrgId, preview: Preview) -> None:
        place = (org, preview.session)
        partial = self._partials.get(place)
        if partial is None or partial.message != preview.message:
            partial = self._partials[place] = Partial(preview.message, [])
        partial.texts.append(preview.text)
        channel = self._channels.get(place)
        if channel is not None:
            channel.push((preview,))

    def partial(self, org: OrgId, session: SessionId) -> tuple[MessageId, str] | None:
        """The message that this process's worker is writing for the session, and its text so far."""
        partial = self._partials.get((org, session))
        return None if partial is None else (partial.message, "".join(partial.texts))

    def subscribe(self, org: OrgId, session: SessionId) -> Channel:
        channel = self._channels.get((org, session))
        if channel is None:
            channel = self._channels[org, session] = Channel()
        channel.subscribers += 1
        if self._is_closed:
            channel.closing = Closing("shutdown")
        return channel

    def unsubscribe(self, org: OrgId, session: SessionId, channel: Channel) -> None:
        channel.subscribers -= 1
        if channel.subscribers == 0 and self._channels.get((org, session)) is channel:
            del self._channels[org, session]

    def close_session(self, org: OrgId, session: SessionId) -> None:
        channel = self._channels.pop((org, session), None)
        self._partials.pop((org, session), None)
        if channel is not None:
            channel.closing = Closing("session_deleted")
            channel.wake()
        if self._on_stop is not None:
            self._on_stop(Ready(org, session), None)
        if self._on_driven is not None:
            self._on_driven(org, session)

    def close(self) -> None:
        """End every feed; a follower that arrives later ends at once."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.closing = Closing("shutdown")
            channel.wake()

    def watched(self) -> dict[OrgId, list[SessionId]]:
        """The sessions that somebody follows, by organisation."""
        watched: dict[OrgId, list[SessionId]] = {}
        for org, session in self._channels:
            watched.setdefault(org, []).append(session)
        return watched

    def nudge(self, org: OrgId, session: SessionId, head: int) -> None:
        """Make the followers of a session look at the log if it has grown beyond what they were told."""
        channel = self._channels.get((org, session))
        if channel is not None and head > channel.told:
            channel.told = head
            # An empty ring behind a higher end means that something was missed.
            channel.items.clear()
            channel.end += 1
            channel.wake()
