"""What the store does for retention: a log is cut at once, and what stood before is removed a piece at a time."""

from typing import Protocol

from sojourn.domain.ids import OrgId, SessionId


class RetentionWrites(Protocol):
    async def cut_log(self, org: OrgId, session: SessionId, first_seq: int) -> None:
        """Let a session's log begin at `first_seq`. Nobody reads what stands before; it is removed later."""
        ...

    async def purge_cut_logs(self, limit: int) -> int:
        """Remove some of what stands before the beginnings of logs: events, and their inputs, asks, files and blobs.

        How many rows went, 0 when nothing is left to remove.
        """
        ...
