"""How the beginning of a log goes: out of sight in one statement, out of the database in pieces."""

from typing import Final

from sojourn.domain.ids import OrgId, SessionId
from sojourn.store.db import Db

# Blobs may have megabytes each.
BLOBS_AT_ONCE: Final = 20
_BESIDE_EVENTS: Final = ("trim_files", "trim_inputs", "trim_asks")


class RetentionWrites:
    _db: Db

    async def cut_log(self, org: OrgId, session: SessionId, first_seq: int) -> None:
        place: dict[str, object] = {"org": org, "session": session}
        await self._db.run("cut_log", place | {"first_seq": first_seq})
        await self._db.run("insert_trim", place | {"upto": first_seq})

    async def purge_cut_logs(self, limit: int) -> int:
        purged = 0
        for org, session, upto in await self._db.all("list_trims", {"limit": limit}):
            cut: dict[str, object] = {"org": org, "session": session, "upto": upto}
            purged += await self._db.run("trim_events", cut | {"limit": limit - purged})
            if purged >= limit:
                # The rest waits for the next purge: every other writer of an SQLite file waits for this one.
                break
            released = await self._release(cut)
            purged += released
            if released == BLOBS_AT_ONCE:
                break
            for name in _BESIDE_EVENTS:
                purged += await self._db.run(name, cut)
            purged += await self._db.run("delete_trim", cut)
            if purged >= limit:
                break
        return purged

    async def _release(self, cut: dict[str, object]) -> int:
        """Let the log use some of its former blobs no more. Those that nobody uses now are removed."""
        found = await self._db.all("blobs_before", cut | {"limit": BLOBS_AT_ONCE})
        for (sha256,) in found:
            blob = cut | {"sha256": bytes(sha256)}
            place = {"org": cut["org"], "sha256": bytes(sha256)}
            await self._db.one("lock_blob", place)
            await self._db.run("trim_blob_uses", blob)
            await self._db.run("delete_unused_blob", place)
        return len(found)
