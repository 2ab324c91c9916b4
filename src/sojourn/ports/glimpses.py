"""The seam of what many sessions said, at a glance."""

from collections.abc import Sequence
from typing import Protocol

from sojourn.domain.content import TextPart
from sojourn.domain.ids import OrgId, SessionId


class GlimpseReads(Protocol):
    async def glimpses(
        self, org: OrgId, sessions: Sequence[SessionId]
    ) -> Sequence[tuple[SessionId, Sequence[TextPart], str | None, str | None]]:
        """Of each session its first message, the stored data of its last answer, and its last turn's error."""
        ...
