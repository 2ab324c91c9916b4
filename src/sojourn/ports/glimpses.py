"""The seam of what many sessions said, at a glance."""

from collections.abc import Sequence
from typing import Protocol

from sojourn.domain.filter import Filter
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import SessionTotals


class GlimpseReads(Protocol):
    async def glimpses(
        self, org: OrgId, sessions: Sequence[SessionId]
    ) -> Sequence[tuple[SessionId, str | None, str | None, str | None, bool]]:
        """Of each session the stored data of its first input and of its last answer, and its last turn's error.

        They are those of the log; the last of the five says whether a part of it was taken back.
        """
        ...

    async def session_totals(self, org: OrgId, where: Filter) -> SessionTotals: ...
