"""Organisations: the tenants."""

from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.ids import OrgId
from sojourn.domain.policy import NO_POLICY, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """`policy` is that of its sessions, where neither they nor their agent say anything else."""

    id: OrgId
    name: str
    created_at: datetime
    policy: Policy = NO_POLICY
    revision: int = 0
