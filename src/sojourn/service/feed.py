"""Reading a log: a page of it, or all of it and then whatever comes."""

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Final

from sojourn.domain.errors import LimitExceeded, NotFound
from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Gap, Preview
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.ports import Reads
from sojourn.service.codec import read_entry
from sojourn.service.hub import RING, Channel, Hub

REPLAY_PAGE: Final = 200
HEADS_A_QUERY: Final = 500
# Somebody has to leave first.
STREAM_RETRY_SECONDS: Final = 5


# Of one organisation, in each process.
MAX_STREAMS: Final = 20_000


class Feed:
    """`max_streams` is how many an organisation may hold of this process at once."""

    def __init__(self, reads: Reads, hub: Hub, max_streams: int = MAX_STREAMS) -> None:
        self._reads = reads
        self._hub = hub
        self._max_streams = max_streams
        self._streams: Counter[OrgId] = Counter()

    async def page(
        self, org: OrgId, session: SessionId, after: int, limit: int, types: Sequence[str] = ()
    ) -> Sequence[StoredEvent]:
        # The log of a deleted session outlives it until it is purged.
        await self._head(org, session)
        return await self._reads.events_after(org, session, after, limit, types)

    async def read(self, event: StoredEvent) -> LogEntry:
        """An event of a page or of a feed, with its data understood and, where it is large, filled in."""
        return await read_entry(self._reads, event)

    async def blob(self, org: OrgId, session: SessionId, sha256: bytes) -> bytes:
        await self._head(org, session)
        # Other sessions' blobs are none of its reader's business, and need not outlive them.
        is_used = await self._reads.uses_blob(org, session, sha256)
        data = await self._reads.get_blob(org, sha256) if is_used else None
        if data is None:
            raise NotFound("blob", sha256.hex())
        return data

    async def follow(self, org: OrgId, session: SessionId, after: int) -> AsyncGenerator[FeedItem]:
        """Everything behind seq `after`: replay, `CaughtUp`, then live until the feed closes. NotFound at once.

        Nothing is missed: the channel is joined before the head is read, so an event committed later is in the
        channel and one committed earlier is at or below the head. Nothing is doubled: `seq` only rises.
        """
        await self._head(org, session)
        return self._follow(org, session, after, streams=0)

    async def stream(self, org: OrgId, session: SessionId, after: int) -> AsyncGenerator[FeedItem]:
        """`follow` for a client that stays. LimitExceeded at once, or with its first item."""
        self._count(org, 0)
        await self._head(org, session)
        return self._follow(org, session, after, streams=1)

    async def _follow(
        self, org: OrgId, session: SessionId, after: int, streams: int
    ) -> AsyncGenerator[FeedItem]:
        if streams:
            self._count(org, streams)
        channel = self._hub.subscribe(org, session)
        try:
            position = channel.end
            record = await self._reads.get_session(org, session)
            if record is None:
                yield Closing("session_deleted")
                return
            seq, head = after, record.session.next_seq - 1
            if channel.subscribers == 1:
                # Whoever joins from now on reads a head that is no lower.
                channel.told = max(channel.told, head)
            async for item in self._replay(org, session, seq, head):
                seq = item.seq if isinstance(item, StoredEvent) else seq
                yield item
            yield CaughtUp(max(seq, head))
            async for item in self._live(org, session, seq, channel, position):
                yield item
            if channel.closing is not None:
                yield channel.closing
        finally:
            self._hub.unsubscribe(org, session, channel)
            self._streams[org] -= streams
            if not self._streams[org]:
                del self._streams[org]

    def _count(self, org: OrgId, more: int) -> None:
        if self._streams[org] >= self._max_streams:
            raise LimitExceeded("streams of an organisation", self._max_streams, STREAM_RETRY_SECONDS)
        self._streams[org] += more

    async def _live(
        self, org: OrgId, session: SessionId, seq: int, channel: Channel, position: int
    ) -> AsyncIterator[FeedItem]:
        while channel.closing is None:
            items = channel.since(position)
            position = channel.end
            if items is None or _has_gap(items, seq):
                # The ring has moved on, or two commits were told of in the other order: the log is complete, and
                # what is pushed while it is read stands behind `position`.
                async for item in self._replay(org, session, seq, None):
                    seq = item.seq if isinstance(item, StoredEvent) else seq
                    yield item
            else:
                for item in items:
                    if isinstance(item, Preview):
                        yield item
                    elif item.seq > seq:
                        seq = item.seq
                        yield item
            await channel.changed(position)

    async def _replay(
        self, org: OrgId, session: SessionId, after: int, head: int | None
    ) -> AsyncIterator[StoredEvent | Gap]:
        while head is None or after < head:
            events = await self._reads.events_after(org, session, after, REPLAY_PAGE)
            if not events:
                return
            if events[0].seq > after + 1:
                # The seqs are dense: retention has cut the log, before the reader came or between two of its pages.
                yield Gap(events[0].seq)
            for event in events:
                yield event
            after = events[-1].seq

    async def catch_up(self, org: OrgId, session: SessionId, head: int) -> None:
        """Give the followers what another process has appended up to `head`, with one read for all of them."""
        after = self._hub.told(org, session)
        if after == 0 or head - after > RING:
            # Nobody says from where on, or it is more than the ring keeps: each follower reads for itself.
            self._hub.nudge(org, session, head)
            return
        self._hub.pass_on(org, session, await self._reads.events_after(org, session, after, RING))

    async def check_heads(self) -> None:
        """Tell the followers of every watched session what other processes wrote to it, and that they deleted it."""
        for org, sessions in self._hub.watched().items():
            for start in range(0, len(sessions), HEADS_A_QUERY):
                chunk = sessions[start : start + HEADS_A_QUERY]
                heads = await self._reads.head_seqs(org, chunk)
                for session in chunk:
                    if session in heads:
                        self._hub.nudge(org, session, heads[session])
                    else:
                        self._hub.close_session(org, session)

    async def _head(self, org: OrgId, session: SessionId) -> int:
        heads = await self._reads.head_seqs(org, [session])
        if session not in heads:
            raise NotFound("session", session)
        return heads[session]


def _has_gap(items: Sequence[StoredEvent | Preview], seq: int) -> bool:
    for item in items:
        if isinstance(item, StoredEvent):
            if item.seq > seq + 1:
                return True
            seq = max(seq, item.seq)
    return False
