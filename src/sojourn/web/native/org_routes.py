"""The routes of the organisation that a key is of."""

from typing import Final

from sojourn.domain.errors import RevisionMismatch
from sojourn.web.native import orgs, queries, wire
from sojourn.web.native.route import AnyRoute, Route

ORGS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/org",
        operation="get_org",
        summary="Read the organisation that the key is of",
        scope="org:read",
        handler=orgs.get,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: orgs.Organisation},
    ),
    Route(
        method="PATCH",
        path="/org",
        operation="update_org",
        summary="Rename the organisation, or change the policy that its new sessions begin with",
        scope="org:write",
        handler=orgs.update,
        query=queries.NoQuery,
        body=orgs.OrganisationChange,
        answers={200: orgs.Organisation},
        errors=(RevisionMismatch,),
        conditional=True,
    ),
)
