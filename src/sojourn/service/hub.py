"""Who watches which session, and the recent items of each watched one. Nothing here is durable.

A subscriber holds a position, never items: one that falls behind the ring reads the log again.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from sojourn.domain.feed import Closing, Preview
from sojourn.domain.ids import MessageId, OrgId, SessionId, TurnId
from sojourn.domain.log import StoredEvent
from sojourn.domain.model_events import MessageAbandoned, MessageCompleted
from sojourn.ports.turns import Ready
from sojourn.ports.wakeups import Hint, Wakeups
from sojourn.service.codec import decode, referred
from sojourn.service.partials import Partials, Place

RING: Final = 256
# How long the turn behind a cancelled one is left to the process that may run the cancelled one's step.
ELSEWHERE_SECONDS: Final = 0.1

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


@dataclass(frozen=True, slots=True, eq=False)
class Ears:
    """What a worker is told by."""

    on_ready: Callable[[Ready], None]
    on_stop: Callable[[Ready, TurnId | None], bool]
    on_others: Callable[[], None]
    on_doubt: Callable[[], None]


def _deaf() -> None:
    return None


class Hub:
    def __init__(self) -> None:
        self._channels: dict[Place, Channel] = {}
        self._partials = Partials()
        self._wakeups: Wakeups | None = None
        self._workers: list[Ears] = []
        self._on_driven: Callable[[OrgId, SessionId], None] | None = None
        self._closed = asyncio.Event()

    def connect_worker(
        self,
        on_ready: Callable[[Ready], None],
        on_stop: Callable[[Ready, TurnId | None], bool],
        on_others: Callable[[], None] | None = None,
        on_doubt: Callable[[], None] | None = None,
    ) -> Callable[[], None]:
        """Tell a worker of this process at once what it would otherwise find by polling and at its next write.

        `on_stop` gets the session and the turn that is not the worker's any more, None for any of that session; it
        says whether the worker ran that.
        `on_others` says that another process made some turn ready, `on_doubt` that turns may have been taken away
        without a word. It is told no more once it has called what this returns.
        """
        ears = Ears(on_ready, on_stop, on_others or _deaf, on_doubt or _deaf)
        self._workers.append(ears)
        return lambda: self._workers.remove(ears)

    def connect_processes(self, wakeups: Wakeups) -> None:
        """Tell the other processes of the store what this one commits."""
        self._wakeups = wakeups

    def connect_rosters(self, on_driven: Callable[[OrgId, SessionId], None]) -> None:
        """Tell of every session of which a commit of this process may have changed who drives it."""
        self._on_driven = on_driven

    def publish(self, events: Sequence[StoredEvent]) -> None:
        """Called after each commit, on the event loop, before the callers are answered."""
        cancelled: dict[Place, bool] = {}
        for event in events:
            place = (event.org, event.session)
            channel = self._channels.get(place)
            if channel is not None:
                channel.push((event,))
                channel.told = max(channel.told, event.seq)
            ended = None
            if event.type in _MESSAGE_ENDS:
                ended = None if self._wakeups is None else _message_of(event)
                self._partials.end(*place, ended)
            if event.type in _STOP_TYPES:
                ran_here = self._stop(place, event.turn)
                if event.type == "turn.cancelled":
                    cancelled[place] = ran_here
            is_free = place not in cancelled
            if event.type in _READY_TYPES:
                self._ready(place, is_free or cancelled[place])
            if event.type in _ROSTER_TYPES and self._on_driven is not None:
                self._on_driven(event.org, event.session)
            if self._wakeups is not None:
                self._wakeups.tell(_hint_of(event, ended, is_free))

    def _ready(self, place: Place, at_once: bool) -> None:
        """A turn is ready. One that follows a cancelled one waits for the step of that to end.

        A worker of this process sees to that by itself. If none here ran the step, one elsewhere may: it hears of
        both, and claims the turn when the step has ended. Should it be dead, the turn is for all after a while.
        """
        if at_once or self._wakeups is None:
            self._tell_ready(place)
        else:
            asyncio.get_running_loop().call_later(ELSEWHERE_SECONDS, self._leave_to_all, place)

    def _tell_ready(self, place: Place) -> None:
        # Whoever is told may leave at that, so a copy is gone through.
        for worker in tuple(self._workers):
            worker.on_ready(Ready(*place))

    def _leave_to_all(self, place: Place) -> None:
        self._tell_ready(place)
        if self._wakeups is not None:
            self._wakeups.tell(Hint(*place, is_ready=True))

    def _stop(self, place: Place, turn: TurnId | None) -> bool:
        """Whether a worker of this process ran it; those outside do not tell when their steps end."""
        ran_here = [worker.on_stop(Ready(*place), turn) for worker in tuple(self._workers)]
        return any(ran_here)

    def hear(self, hint: Hint) -> bool:
        """What a commit of another process did. Whether followers here wait for what it appended."""
        if hint.is_deleted:
            self.close_session(hint.org, hint.session)
            return False
        if hint.ended:
            self._partials.hear_end(hint.org, hint.session, hint.ended)
        if hint.ends_message:
            self._partials.end(hint.org, hint.session)
        for turn in hint.stopped:
            if self._stop((hint.org, hint.session), turn):
                self._tell_ready((hint.org, hint.session))
        if hint.is_ready:
            for worker in tuple(self._workers):
                worker.on_others()
        channel = self._channels.get((hint.org, hint.session))
        return channel is not None and hint.head > channel.told

    def doubt(self) -> None:
        """Other processes may have done anything."""
        for worker in tuple(self._workers):
            worker.on_others()
            worker.on_doubt()

    def preview(self, org: OrgId, preview: Preview) -> None:
        """Of a message that a worker writes through this process."""
        if not preview.text.isascii():
            # A model may write half a character, which no log and no reader takes. Offsets stay what they are.
            preview = replace(preview, text=preview.text.encode(errors="replace").decode())
        if self._preview(org, preview, is_own=True) and self._wakeups is not None:
            self._wakeups.preview(org, preview)

    def hear_preview(self, org: OrgId, preview: Preview) -> None:
        self._preview(org, preview, is_own=False)

    def _preview(self, org: OrgId, preview: Preview, is_own: bool) -> bool:
        added = self._partials.add(org, preview, is_own)
        if added is None:
            return False
        channel = self._channels.get((org, preview.session))
        if channel is not None:
            channel.push((added,))
        return True

    def preview_again(self) -> None:
        """Tell the other processes from the beginning what is being written here."""
        if self._wakeups is not None:
            for org, preview in self._partials.own():
                self._wakeups.preview(org, preview)

    def partial(self, org: OrgId, session: SessionId) -> tuple[MessageId, str] | None:
        """The message that is being written for the session, and its text so far.

        Of a worker elsewhere the text is what was heard of it: it may be short of the last moment's words.
        """
        return self._partials.get(org, session)

    def subscribe(self, org: OrgId, session: SessionId) -> Channel:
        channel = self._channels.get((org, session))
        if channel is None:
            channel = self._channels[org, session] = Channel()
        channel.subscribers += 1
        if self._closed.is_set():
            channel.closing = Closing("shutdown")
        return channel

    def unsubscribe(self, org: OrgId, session: SessionId, channel: Channel) -> None:
        channel.subscribers -= 1
        if channel.subscribers == 0 and self._channels.get((org, session)) is channel:
            del self._channels[org, session]

    def delete_session(self, org: OrgId, session: SessionId) -> None:
        """After the commit of this process that deleted it."""
        self.close_session(org, session)
        if self._wakeups is not None:
            self._wakeups.tell(Hint(org, session, is_deleted=True))

    def close_session(self, org: OrgId, session: SessionId) -> None:
        channel = self._channels.pop((org, session), None)
        self._partials.end(org, session)
        if channel is not None:
            channel.closing = Closing("session_deleted")
            channel.wake()
        self._stop((org, session), None)
        if self._on_driven is not None:
            self._on_driven(org, session)

    def close(self) -> None:
        """End every feed; a follower that arrives later ends at once."""
        self._closed.set()
        for channel in self._channels.values():
            channel.closing = Closing("shutdown")
            channel.wake()

    async def closed(self) -> None:
        """Return once every feed has ended: whoever waits for something here waits in vain."""
        await self._closed.wait()

    def watched(self) -> dict[OrgId, list[SessionId]]:
        """The sessions that somebody follows, by organisation."""
        watched: dict[OrgId, list[SessionId]] = {}
        for org, session in self._channels:
            watched.setdefault(org, []).append(session)
        return watched

    def told(self, org: OrgId, session: SessionId) -> int:
        """The seq up to which every follower of the session was told, 0 if that is not known."""
        channel = self._channels.get((org, session))
        return 0 if channel is None else channel.told

    def pass_on(self, org: OrgId, session: SessionId, events: Sequence[StoredEvent]) -> None:
        """Give the followers what another process has appended, read from the log."""
        channel = self._channels.get((org, session))
        if channel is None:
            return
        # A commit of this process may have been told of while the log was read.
        new = [event for event in events if event.seq > channel.told]
        if new:
            channel.push(new)
            channel.told = new[-1].seq

    def nudge(self, org: OrgId, session: SessionId, head: int) -> None:
        """Make the followers of a session look at the log if it has grown beyond what they were told."""
        channel = self._channels.get((org, session))
        if channel is not None and head > channel.told:
            channel.told = head
            # An empty ring behind a higher end means that something was missed.
            channel.items.clear()
            channel.end += 1
            channel.wake()


def _hint_of(event: StoredEvent, ended: MessageId | None, is_free: bool) -> Hint:
    """`ended` is the message that it ends, where that is known.

    `is_free` says that a turn that it makes ready is for any worker.
    """
    stopped = (event.turn,) if event.type in _STOP_TYPES and event.turn is not None else ()
    return Hint(
        event.org,
        event.session,
        head=event.seq,
        is_ready=is_free and event.type in _READY_TYPES,
        ends_message=ended is None and event.type in _MESSAGE_ENDS,
        stopped=frozenset(stopped),
        ended=frozenset() if ended is None else frozenset({ended}),
    )


def _message_of(event: StoredEvent) -> MessageId | None:
    """The message that ended; None where its text is too large to be read here."""
    if referred(event.data) is not None:
        return None
    match decode(event.type, event.v, event.data):
        case MessageCompleted(message=message) | MessageAbandoned(message=message):
            return message
        case _:
            return None
