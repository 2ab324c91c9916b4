# Made from src/sojourn/client/orgs.py by scripts/twin; change that one.
"""The organisation that a key is of."""

from typing import Unpack

from sojourn.client.org_types import Organisation, OrganisationFields
from sojourn.client.request import Request, if_match
from sojourn.client.sync.calls import Calls


class OrgCalls(Calls):
    def get_org(self) -> Organisation:
        return self._transport.fetch(Request("GET", "/org"), Organisation)

    def update_org(
        self, *, if_revision: int | None = None, **fields: Unpack[OrganisationFields]
    ) -> Organisation:
        """A `policy` replaces the former as a whole, for sessions made from now on; Forbidden for most keys."""
        # A repeat would make one revision more.
        request = Request("PATCH", "/org", (), fields, if_match(if_revision), repeatable=False)
        return self._transport.fetch(request, Organisation)
