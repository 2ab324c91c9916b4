"""What the store does for a fork: a part of a log is copied within the database, a piece at a time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sojourn.domain.ids import KeyId, OrgId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import Recalled


class ForkReads(Protocol):
    async def recall(self, org: OrgId, key: KeyId, operation: str, idempotency_key: str) -> Recalled | None:
        """What the request that had the idempotency key answered, if there was one."""
        ...


class ForkWrites(Protocol):
    async def copy_events(
        self, org: OrgId, source: SessionId, target: SessionId, after: int, upto: int
    ) -> int:
        """Give `target` the events of `source` behind seq `after` and up to `upto`, under ids of their own.

        How many there were. They keep their seq, their instant and their transaction's number.
        """
        ...

    async def load_events(self, events: Sequence[StoredEvent]) -> None:
        """Write events of a session that is not there yet, of which nobody is told."""
        ...

    async def mark_rewound(self, org: OrgId, session: SessionId) -> None:
        """Say that a part of the session's log is not of its conversation any more."""
        ...

    async def stage_session(self, org: OrgId, session: SessionId, until: datetime) -> None:
        """Say that rows are written for a session that is not there yet: they are purged if it is not by `until`."""
        ...

    async def unstage_session(self, org: OrgId, session: SessionId, now: datetime) -> bool:
        """Keep those rows. False if their time is over."""
        ...
