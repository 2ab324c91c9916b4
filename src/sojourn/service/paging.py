"""Reading a log through without keeping everybody else waiting: on SQLite a read does not suspend."""

import asyncio
from collections.abc import Sequence

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.ports import Reads
from sojourn.service.codec import read_entry, referred


async def read_page(
    reads: Reads,
    org: OrgId,
    session: SessionId,
    after: int,
    limit: int,
    types: Sequence[str] = (),
    *,
    upto: int | None = None,
) -> list[tuple[StoredEvent, LogEntry]]:
    """The events behind `after` with what they say, as `events_after` finds them; not for a transaction.

    The event loop has its turn behind each that is large, and behind a full page, which another follows.
    """
    events = await reads.events_after(org, session, after, limit, types, upto)
    page: list[tuple[StoredEvent, LogEntry]] = []
    for event in events:
        page.append((event, await read_entry(reads, event)))
        if referred(event.data) is not None:
            await asyncio.sleep(0)
    if len(page) == limit:
        await asyncio.sleep(0)
    return page
