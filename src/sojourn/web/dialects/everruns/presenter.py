"""Reads what is shown of sessions beside their own records, for many of them at once."""

from collections.abc import Sequence
from typing import Final

from sojourn.domain.agent import AgentSpec
from sojourn.domain.record import SessionRecord
from sojourn.service.core import Services
from sojourn.service.transcripts import Glimpse
from sojourn.web.dialects.everruns import wire
from sojourn.web.dialects.everruns.links import Base, base_of
from sojourn.web.dialects.everruns.outbound_sessions import Around, session
from sojourn.web.dialects.everruns.server import Caller
from sojourn.web.kit.request import Request

NOTHING_SAID: Final = Glimpse()


class Presenter:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def one(self, record: SessionRecord, caller: Caller, request: Request) -> wire.Session:
        return (await self.all((record,), caller, base_of(request)))[0]

    async def all(
        self, records: Sequence[SessionRecord], caller: Caller, base: Base
    ) -> Sequence[wire.Session]:
        ran = [record.session.id for record in records if record.session.turns]
        spans = await self._services.sessions.turn_spans(caller.org, ran)
        glimpses = await self._services.transcripts.glimpses(caller.org, ran)
        shown: list[wire.Session] = []
        for record in records:
            glimpse = glimpses.get(record.session.id, NOTHING_SAID)
            span = spans.get(record.session.id)
            around = Around(await self._agent(record), span, glimpse.prompt, glimpse.answer)
            shown.append(session(record, around, caller.key, base))
        return shown

    async def _agent(self, record: SessionRecord) -> AgentSpec:
        """A version of an agent never changes, so that most sessions' agents are in memory."""
        row = record.session
        return (await self._services.agents.pinned(row.org, row.agent, row.agent_version)).spec
