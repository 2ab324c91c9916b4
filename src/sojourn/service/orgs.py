"""Organisations: what they are called, and the policy that their sessions begin with."""

import time
from dataclasses import replace
from typing import Final

from sojourn.domain.errors import NotFound, RevisionMismatch
from sojourn.domain.ids import OrgId
from sojourn.domain.org import Org
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.ports import Store, Tx

KNOWN_SECONDS: Final = 5.0
KNOWN_ORGS: Final = 10_000


class Orgs:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._policies: dict[OrgId, tuple[float, Policy]] = {}

    async def get(self, org: OrgId) -> Org:
        found = await self._store.reads.get_org(org)
        if found is None:
            raise NotFound("organisation", org)
        return found

    async def policy(self, org: OrgId) -> Policy:
        """For new sessions. A change made in another process is seen within KNOWN_SECONDS."""
        known = self._policies.get(org)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        found = await self._store.reads.get_org(org)
        policy = NO_POLICY if found is None else found.policy
        if len(self._policies) >= KNOWN_ORGS:
            self._policies.clear()
        self._policies[org] = (time.monotonic() + KNOWN_SECONDS, policy)
        return policy

    async def update(
        self, org: OrgId, name: str | None, policy: Policy | None, expected_revision: int | None = None
    ) -> Org:
        """None leaves as it is. Sessions that are there already keep the policy that they were made with."""

        async def verb(tx: Tx) -> Org:
            found = await tx.lock_org(org)
            if found is None:
                raise NotFound("organisation", org)
            if expected_revision is not None and expected_revision != found.revision:
                raise RevisionMismatch(expected_revision, found.revision)
            changed = replace(
                found,
                name=found.name if name is None else name,
                policy=found.policy if policy is None else policy,
                revision=found.revision + 1,
            )
            await tx.write_org(changed)
            return changed

        changed = await self._store.write(verb)
        self._policies.pop(org, None)
        return changed
