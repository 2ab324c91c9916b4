"""What the native API says of keys."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sojourn.client.agent_types import RunnerKind
from sojourn.client.wire import Wire

Role = Literal["admin", "member", "reporter", "worker"]


class KeyLimits(Wire, frozen=True, kw_only=True):
    """Whose turns a worker may claim with the key; an empty list is no limit."""

    runners: list[RunnerKind]
    pools: list[str]
    agents: list[UUID]


class Key(Wire, frozen=True, kw_only=True):
    """`secrets` are those that leave the server with a worker's key."""

    id: UUID
    name: str
    role: Role
    limits: KeyLimits
    secrets: list[str]
    created_at: datetime
    revoked_at: datetime | None


class MadeKey(Key, frozen=True, kw_only=True):
    """`token` is the secret, shown this once. None where this was a repeated request."""

    token: str | None


class Keys(Wire, frozen=True, kw_only=True):
    data: list[Key]
