"""The vendor's system webhook `agent-session-finished`: the session as it was when it ended."""

from typing import Final, Literal

import msgspec

from sojourn.domain.record import SessionRecord
from sojourn.service.transcripts import Glimpse
from sojourn.web.dialects.membrane import outbound, wire
from sojourn.web.dialects.membrane.facet import DIALECT
from sojourn.web.dialects.membrane.tokens import Tokens

TYPE: Final = "agent-session-finished"


class Notice(msgspec.Struct):
    session: wire.AgentSession
    type: Literal["agent-session-finished"] = TYPE


class Finished:
    dialect = DIALECT

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def render(self, record: SessionRecord, glimpse: Glimpse) -> Notice:
        org = record.session.org
        workspace = await self._tokens.workspace_of(org)
        return Notice(outbound.session(record, workspace or org.hex, glimpse))
