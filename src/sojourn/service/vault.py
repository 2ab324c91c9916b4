"""Secrets that clients store: written, listed by name, used by reference, and never shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.errors import NotFound
from sojourn.domain.ids import OrgId
from sojourn.domain.names import check_name
from sojourn.domain.record import CLIENT_SECRETS
from sojourn.domain.secret_reference import SecretReference
from sojourn.ports import Secrets, Store


@dataclass(frozen=True, slots=True)
class StoredSecret:
    name: str
    updated_at: datetime


class EnvironmentSecrets:
    """All that a worker without a store has of secrets: the variables of its own environment, with our prefix."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    async def reveal(self, org: OrgId, reference: SecretReference) -> str:
        value = self._environment.get(reference.name) if reference.source == "env" else None
        if not value:
            raise NotFound("secret", reference)
        return value


class Vault:
    """`environment` is that of the server, of which references may name the variables with our prefix."""

    def __init__(self, store: Store, secrets: Secrets, environment: Mapping[str, str]) -> None:
        self._store = store
        self._secrets = secrets
        self._environment = environment

    async def put(self, org: OrgId, name: str, value: str) -> StoredSecret:
        """Store a secret, or replace it. InvalidRequest for a name that no reference could hold."""
        check_name("secret", name)
        await self._secrets.put(org, CLIENT_SECRETS + name, value)
        return await self.get(org, name)

    async def get(self, org: OrgId, name: str) -> StoredSecret:
        for secret in await self.list(org):
            if secret.name == name:
                return secret
        raise NotFound("secret", name)

    async def list(self, org: OrgId) -> Sequence[StoredSecret]:
        return [StoredSecret(name, at) for name, at in await self._store.reads.list_secrets(org)]

    async def delete(self, org: OrgId, name: str) -> None:
        """What refers to it fails clearly from then on."""
        if not await self._secrets.remove(org, CLIENT_SECRETS + name):
            raise NotFound("secret", name)

    async def reveal(self, org: OrgId, reference: SecretReference) -> str:
        """The value, to be used and forgotten. NotFound where there is none."""
        if reference.source == "env":
            value = self._environment.get(reference.name)
        else:
            value = await self._secrets.get(org, CLIENT_SECRETS + reference.name)
        if not value:
            raise NotFound("secret", reference)
        return value
