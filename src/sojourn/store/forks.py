"""What a fork copies within the database."""

from collections.abc import Sequence
from datetime import datetime

from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.store.db import Db
from sojourn.store.rows import event_params, to_micros


class ForkWrites:
    _db: Db

    async def copy_events(
        self, org: OrgId, source: SessionId, target: SessionId, after: int, upto: int
    ) -> int:
        # The first half of the ids says when; the second is drawn by the database, row by row.
        params = {
            "org": org,
            "source": source,
            "target": target,
            "after": after,
            "upto": upto,
            "prefix": uuid7().bytes[:8],
        }
        copied = await self._db.run("copy_events", params)
        del params["prefix"]
        await self._db.run("copy_blob_uses", params)
        return copied

    async def load_events(self, events: Sequence[StoredEvent]) -> None:
        await self._db.many("insert_event", [event_params(event) for event in events])

    async def mark_rewound(self, org: OrgId, session: SessionId) -> None:
        await self._db.run("mark_rewound", {"org": org, "id": session})

    async def stage_session(self, org: OrgId, session: SessionId, until: datetime) -> None:
        # A tombstone ahead of its time: a purge passes it over until then.
        params = {
            "org": org,
            "id": session,
            "last_seq": 0,
            "deleted_at": to_micros(until),
            "deleted_by": None,
        }
        await self._db.run("insert_tombstone", params)

    async def unstage_session(self, org: OrgId, session: SessionId, now: datetime) -> bool:
        return bool(
            await self._db.run("remove_tombstone", {"org": org, "id": session, "now": to_micros(now)})
        )
