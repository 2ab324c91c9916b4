"""Reads what is shown of sessions beside their own records, for many of them at once."""

from collections.abc import Mapping, Sequence
from typing import Final

from sojourn.domain.ids import AgentId, OrgId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.turn import TurnSpan
from sojourn.service.core import Services
from sojourn.service.transcripts import Glimpse
from sojourn.web.dialects.everruns import wire
from sojourn.web.dialects.everruns.capabilities import Capabilities
from sojourn.web.dialects.everruns.links import Base, base_of
from sojourn.web.dialects.everruns.outbound_sessions import Around, Dress, dress, session
from sojourn.web.dialects.everruns.server import Caller
from sojourn.web.kit.request import Request

NOTHING_SAID: Final = Glimpse()
NO_SPANS: Final[Mapping[SessionId, TurnSpan]] = {}
NO_GLIMPSES: Final[Mapping[SessionId, Glimpse]] = {}
MOST_KEPT: Final = 1_000


class Presenter:
    def __init__(self, services: Services, known: Capabilities) -> None:
        self._services = services
        self._known = known
        self._dresses: dict[tuple[OrgId, AgentId, int], Dress] = {}

    async def one(self, record: SessionRecord, caller: Caller, request: Request) -> wire.Session:
        return (await self.all((record,), caller, base_of(request)))[0]

    async def all(
        self, records: Sequence[SessionRecord], caller: Caller, base: Base
    ) -> Sequence[wire.Session]:
        ran = [record for record in records if record.session.turns]
        ids = [record.session.id for record in ran]
        spans = await self._services.sessions.turn_spans(caller.org, ids) if ran else NO_SPANS
        glimpses = await self._services.transcripts.glimpses(caller.org, ran) if ran else NO_GLIMPSES
        shown: list[wire.Session] = []
        for record in records:
            glimpse = glimpses.get(record.session.id, NOTHING_SAID)
            span = spans.get(record.session.id)
            around = Around(await self._dress(record), span, glimpse.prompt, glimpse.answer)
            shown.append(session(record, around, caller.key, base, self._known))
        return shown

    async def _dress(self, record: SessionRecord) -> Dress:
        """A version of an agent never changes, so that what most sessions show of theirs is in memory."""
        row = record.session
        place = (row.org, row.agent, row.agent_version)
        if record.overlay is None and (kept := self._dresses.get(place)) is not None:
            return kept
        agent = await self._services.agents.pinned(*place)
        made = dress(agent.spec, record.overlay, self._known)
        if record.overlay is None:
            if len(self._dresses) >= MOST_KEPT:
                self._dresses.clear()
            self._dresses[place] = made
        return made
