"""The organisation that a key is of."""

from datetime import datetime
from typing import TypedDict, Unpack
from uuid import UUID

from sojourn.client.agent_types import Policy
from sojourn.client.calls import Calls, if_match
from sojourn.client.transport import Request
from sojourn.client.wire import Wire


class Organisation(Wire, frozen=True, kw_only=True):
    """`policy` is that of its sessions, where neither they nor their agent say anything else."""

    id: UUID
    name: str
    policy: Policy
    revision: int
    created_at: datetime


class OrganisationFields(TypedDict, total=False):
    name: str
    policy: Policy


class OrgCalls(Calls):
    async def get_org(self) -> Organisation:
        return await self._transport.fetch(Request("GET", "/org"), Organisation)

    async def update_org(
        self, *, if_revision: int | None = None, **fields: Unpack[OrganisationFields]
    ) -> Organisation:
        """A `policy` replaces the former as a whole, for sessions made from now on; Forbidden for most keys."""
        # A repeat would make one revision more.
        request = Request("PATCH", "/org", (), fields, if_match(if_revision), repeatable=False)
        return await self._transport.fetch(request, Organisation)
