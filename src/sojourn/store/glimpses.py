"""What many sessions said, at a glance."""

from collections.abc import Sequence
from uuid import UUID

from sojourn.domain.ids import OrgId, SessionId
from sojourn.store.db import Db
from sojourn.store.where import NumberedBinder

# The first and the last of each, found by the ends of the indexes.
_GLIMPSES = """
SELECT
    s.id,
    (
        SELECT e.data FROM events e
        WHERE e.org = s.org AND e.session = s.id AND e.type = 'input.received' ORDER BY e.seq LIMIT 1
    ),
    (
        SELECT e.data FROM events e
        WHERE e.org = s.org AND e.session = s.id AND e.type = 'message.completed' ORDER BY e.seq DESC LIMIT 1
    ),
    (SELECT t.error FROM turns t WHERE t.org = s.org AND t.session = s.id ORDER BY t.first_seq DESC LIMIT 1)
FROM sessions s"""


class GlimpseReads:
    _db: Db

    async def glimpses(
        self, org: OrgId, sessions: Sequence[SessionId]
    ) -> Sequence[tuple[SessionId, str | None, str | None, str | None]]:
        if not sessions:
            return []
        bind = NumberedBinder(self._db.dialect)
        text = (
            f"{_GLIMPSES} WHERE s.org = {bind(org)}"
            f" AND s.id IN ({', '.join(bind(session) for session in sessions)})"
        )
        found = await self._db.select(text, bind.values)
        return [(SessionId(UUID(bytes=id)), input, answer, error) for id, input, answer, error in found]
