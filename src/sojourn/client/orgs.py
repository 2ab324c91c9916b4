"""The organisation that a key is of."""

from typing import Unpack

from sojourn.client.calls import Calls
from sojourn.client.org_types import Organisation, OrganisationFields
from sojourn.client.request import Request, if_match


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
