"""What many sessions said, and what they come to, at a glance."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sojourn.domain.content import Usage
from sojourn.domain.filter import Filter
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import SessionTotals
from sojourn.store.db import Db
from sojourn.store.rows import PICODOLLARS, to_instant_or_none
from sojourn.store.where import NumberedBinder, condition

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
    (SELECT t.error FROM turns t WHERE t.org = s.org AND t.session = s.id ORDER BY t.first_seq DESC LIMIT 1),
    s.rewound
FROM sessions s"""


_TOTALS = """
SELECT
    count(*), sum(s.turns), sum(s.input_tokens), sum(s.output_tokens), sum(s.cache_read_tokens),
    sum(s.cache_write_tokens), sum(s.cost_picodollars), sum(COALESCE(s.ended_at, s.active_at) - s.created_at),
    min(s.created_at), max(s.created_at), max(s.active_at)
FROM sessions s"""


class GlimpseReads:
    _db: Db

    async def session_totals(self, org: OrgId, where: Filter) -> SessionTotals:
        bind = NumberedBinder(self._db.dialect)
        text = f"{_TOTALS} WHERE s.org = {bind(org)} AND {condition(where, bind, self._db.dialect)}"
        [row] = await self._db.select(text, bind.values)
        # A sum of nothing is null, and Postgres' sums are of a wider type.
        sessions, turns, input, output, read, written, cost, micros = (int(number or 0) for number in row[:8])
        first_at, last_at, active_at = (to_instant_or_none(micros) for micros in row[8:])
        cost_usd = Decimal(cost) / PICODOLLARS if cost else None
        return SessionTotals(
            sessions=sessions,
            turns=turns,
            usage=Usage(input, output, read, written, cost_usd),
            duration_seconds=micros / 1_000_000,
            first_at=first_at,
            last_at=last_at,
            active_at=active_at,
        )

    async def glimpses(
        self, org: OrgId, sessions: Sequence[SessionId]
    ) -> Sequence[tuple[SessionId, str | None, str | None, str | None, bool]]:
        if not sessions:
            return []
        bind = NumberedBinder(self._db.dialect)
        text = (
            f"{_GLIMPSES} WHERE s.org = {bind(org)}"
            f" AND s.id IN ({', '.join(bind(session) for session in sessions)})"
        )
        found = await self._db.select(text, bind.values)
        return [
            (SessionId(UUID(bytes=id)), input, answer, error, bool(rewound))
            for id, input, answer, error, rewound in found
        ]
