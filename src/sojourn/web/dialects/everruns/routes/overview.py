"""Sessions in numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sojourn.domain.filter import All, Compare, Filter, SessionQuery
from sojourn.domain.record import SessionRecord
from sojourn.web.dialects.everruns import ids, inbound_sessions, outbound_sessions, status, wire
from sojourn.web.dialects.everruns.log.payloads import millis
from sojourn.web.dialects.everruns.server import Routes, Server
from sojourn.web.kit.query import Query
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

# Durations and tokens are those of so many of the sessions that were active last.
SAMPLE: Final = 1_000

_FILTER: Final = Query(wire.SessionFilter)


def routes(server: Server) -> Routes:
    overview = _Overview(server)
    return [
        ("GET", "/sessions/stats", overview.stats),
        ("GET", "/sessions/facets", overview.facets),
    ]


class _Overview:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions = server.services.sessions
        self._clock = server.services.clock

    async def stats(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        counts = await self._sessions.count_by(caller.org, All(()), status.STATUS)
        return json_response(outbound_sessions.stats(counts))

    async def facets(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        where = inbound_sessions.where(_FILTER.read(request.query_string), caller.key)
        by_activity = await self._sessions.count_by(caller.org, where, status.ACTIVITY)
        by_source = await self._sessions.count_by(caller.org, where, inbound_sessions.SOURCE)
        by_agent = await self._sessions.count_by(caller.org, where, "agent")
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        since = All((where, Compare("active_at", "ge", midnight)))
        today = await self._sessions.list(caller.org, _latest(since))
        failed = All((since, Compare(status.ACTIVITY, "eq", "failed")))
        facets = wire.Facets(
            total=sum(by_activity.values()),
            active_now=by_activity.get("running", 0),
            failed_today=await self._sessions.count(caller.org, failed),
            p95_duration_ms=_p95_ms(await self._sessions.list(caller.org, _latest(where))),
            tokens_today=_tokens(today, midnight),
            by_activity=_counts(by_activity, status.ACTIVITIES),
            by_source=_counts(by_source, inbound_sessions.SOURCE_WORDS),
            by_agent=[
                wire.FacetCount(ids.text("agent", UUID(agent)), count)
                for agent, count in sorted(by_agent.items(), key=lambda item: (-item[1], item[0]))
            ],
        )
        return json_response(facets)


def _latest(where: Filter) -> SessionQuery:
    return SessionQuery(where=where, sort=(("active_at", "desc"),), limit=SAMPLE)


def _counts(counts: Mapping[str, int], words: tuple[str, ...]) -> list[wire.FacetCount]:
    """Every word, those that count nothing too."""
    return [wire.FacetCount(word, counts.get(word, 0)) for word in words]


def _p95_ms(records: Sequence[SessionRecord]) -> int:
    """From creation to the last activity, of the sessions that ever ran."""
    spans = sorted(
        record.session.active_at - record.session.created_at for record in records if record.session.turns
    )
    return millis(spans[min(len(spans) - 1, len(spans) * 95 // 100)] if spans else timedelta())


def _tokens(records: Sequence[SessionRecord], midnight: datetime) -> int:
    """Those of sessions that began today: what older ones used up today is in no sum that is kept."""
    return sum(
        record.usage.input_tokens + record.usage.output_tokens
        for record in records
        if record.session.created_at >= midnight
    )
