"""What many sessions said, at a glance."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sojourn.domain.content import TextPart
from sojourn.domain.ids import OrgId, SessionId
from sojourn.store.db import Db
from sojourn.store.where import NumberedBinder

_decode_content = msgspec.json.Decoder(tuple[TextPart, ...]).decode

# The first and the last of each, found by the ends of the indexes.
_GLIMPSES = """
SELECT
    s.id,
    (
        SELECT i.content FROM inputs i
        WHERE i.org = s.org AND i.session = s.id AND i.kind = 'message' ORDER BY i.position LIMIT 1
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
    ) -> Sequence[tuple[SessionId, Sequence[TextPart], str | None, str | None]]:
        if not sessions:
            return []
        bind = NumberedBinder(self._db.dialect)
        text = (
            f"{_GLIMPSES} WHERE s.org = {bind(org)}"
            f" AND s.id IN ({', '.join(bind(session) for session in sessions)})"
        )
        found = await self._db.select(text, bind.values)
        return [
            (SessionId(UUID(bytes=id)), () if content is None else _decode_content(content), answer, error)
            for id, content, answer, error in found
        ]
