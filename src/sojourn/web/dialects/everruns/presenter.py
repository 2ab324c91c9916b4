"""Reads what is shown of sessions beside their own records, for many of them at once."""

from collections.abc import Mapping, Sequence

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.turn import TurnSpan
from sojourn.service.core import Services
from sojourn.web.dialects.everruns import wire
from sojourn.web.dialects.everruns.links import Base, base_of
from sojourn.web.dialects.everruns.outbound_sessions import Around, session
from sojourn.web.dialects.everruns.server import Caller
from sojourn.web.kit.request import Request


class Presenter:
    def __init__(self, services: Services) -> None:
        self._services = services

    async def one(self, record: SessionRecord, caller: Caller, request: Request) -> wire.Session:
        return (await self.all((record,), caller, base_of(request)))[0]

    async def all(
        self, records: Sequence[SessionRecord], caller: Caller, base: Base
    ) -> Sequence[wire.Session]:
        spans = await self._spans(records, caller)
        shown: list[wire.Session] = []
        for record in records:
            around = Around(await self._agent(record), spans.get(record.session.id))
            shown.append(session(record, around, caller.key, base))
        return shown

    async def _spans(self, records: Sequence[SessionRecord], caller: Caller) -> Mapping[SessionId, TurnSpan]:
        ran = [record.session.id for record in records if record.session.turns]
        return await self._services.sessions.turn_spans(caller.org, ran)

    async def _agent(self, record: SessionRecord) -> AgentSpec:
        """A version of an agent never changes, so that most sessions' agents are in memory."""
        row = record.session
        return (await self._services.agents.pinned(row.org, row.agent, row.agent_version)).spec
