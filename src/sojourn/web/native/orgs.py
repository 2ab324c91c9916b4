"""Handlers of the organisation that a key is of, and its values on the wire."""

from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from sojourn.domain.org import Org
from sojourn.web.kit.conditions import etag
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import inbound, outbound, queries, wire
from sojourn.web.native.route import Call


class Organisation(msgspec.Struct):
    """`policy` is what its agents and sessions have where they say nothing else."""

    id: UUID
    name: str
    policy: wire.Policy
    revision: wire.Count
    created_at: wire.Instant


class OrganisationChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays as it is; `policy` is replaced as a whole.

    It is that of sessions made from now on: a session keeps the policy that it was made with.
    """

    name: wire.AgentName | UnsetType = UNSET
    policy: wire.Policy | UnsetType = UNSET


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(await call.services.orgs.get(call.org))


async def update(call: Call[queries.NoQuery, OrganisationChange]) -> Response:
    change = call.body
    name = None if change.name is UNSET else change.name
    policy = None if change.policy is UNSET else inbound.policy(change.policy)
    return answer(await call.services.orgs.update(call.org, name, policy, call.expected_revision))


def answer(org: Org) -> Response:
    body = Organisation(org.id, org.name, outbound.policy(org.policy), org.revision, org.created_at)
    return json_response(body, 200, etag(org.revision))
