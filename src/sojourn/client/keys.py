"""Keys: who may ask, and for what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from sojourn.client.agent_types import RunnerKind
from sojourn.client.calls import Calls
from sojourn.client.transport import Request, post
from sojourn.client.wire import Wire

Role = Literal["admin", "member", "reporter", "worker"]


class KeyLimits(Wire, frozen=True, kw_only=True):
    """Whose turns a worker may claim with the key; an empty list is no limit."""

    runners: list[RunnerKind]
    pools: list[str]
    agents: list[UUID]


class Key(Wire, frozen=True, kw_only=True):
    id: UUID
    name: str
    role: Role
    limits: KeyLimits
    created_at: datetime
    revoked_at: datetime | None


class MadeKey(Key, frozen=True, kw_only=True):
    """`token` is the secret, shown this once. None where this was a repeated request."""

    token: str | None


class Keys(Wire, frozen=True, kw_only=True):
    data: list[Key]


class KeyCalls(Calls):
    """Needs a key of the role admin."""

    async def create_key(
        self,
        name: str,
        role: Role,
        *,
        runners: Sequence[RunnerKind] = (),
        pools: Sequence[str] = (),
        agents: Sequence[UUID] = (),
        idempotency_key: str | None = None,
    ) -> MadeKey:
        """Only a key of the role worker has limits."""
        limits = {"runners": runners, "pools": pools, "agents": agents}
        body = {"name": name, "role": role, "limits": limits}
        return await self._transport.fetch(post("/keys", body, idempotency_key), MadeKey)

    async def list_keys(self) -> list[Key]:
        """In the order in which they were made, the revoked ones too."""
        return (await self._transport.fetch(Request("GET", "/keys"), Keys)).data

    async def revoke_key(self, key: UUID) -> Key:
        return await self._transport.fetch(Request("DELETE", f"/keys/{key}"), Key)
