"""What the native API sends and takes of organisations."""

from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sojourn.client.agent_types import Policy
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
