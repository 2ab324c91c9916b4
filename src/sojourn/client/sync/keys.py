# Made from src/sojourn/client/keys.py by scripts/twin; change that one.
"""Keys: who may ask, and for what."""

from collections.abc import Sequence
from uuid import UUID

from sojourn.client.agent_types import RunnerKind
from sojourn.client.key_types import Key, Keys, MadeKey, Role
from sojourn.client.request import Request, post
from sojourn.client.sync.calls import Calls


class KeyCalls(Calls):
    """Needs a key of the role admin."""

    def create_key(
        self,
        name: str,
        role: Role,
        *,
        runners: Sequence[RunnerKind] = (),
        pools: Sequence[str] = (),
        agents: Sequence[UUID] = (),
        secrets: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> MadeKey:
        """Only a key of the role worker has limits, and secrets: the stored ones that leave the server with it."""
        limits = {"runners": runners, "pools": pools, "agents": agents}
        body = {"name": name, "role": role, "limits": limits, "secrets": secrets}
        return self._transport.fetch(post("/keys", body, idempotency_key), MadeKey)

    def list_keys(self) -> list[Key]:
        """In the order in which they were made, the revoked ones too."""
        return (self._transport.fetch(Request("GET", "/keys"), Keys)).data

    def revoke_key(self, key: UUID) -> Key:
        return self._transport.fetch(Request("DELETE", f"/keys/{key}"), Key)
