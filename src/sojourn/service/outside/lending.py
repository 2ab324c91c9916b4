"""What a worker outside is told of its organisation's models, and the secrets that its key is given."""

from sojourn.domain.errors import Forbidden, SecretWithheld
from sojourn.domain.pools import DEFAULT_POOL
from sojourn.domain.provider import Meaning
from sojourn.domain.record import Principal
from sojourn.domain.secret_reference import SecretReference
from sojourn.service.models import Models
from sojourn.service.vault import Vault


class Lending:
    def __init__(self, models: Models, vault: Vault) -> None:
        self._models = models
        self._vault = vault

    async def model(self, principal: Principal, name: str) -> Meaning:
        """Where a model is found; the key of its provider by reference."""
        if not principal.limits.admits_place("model", DEFAULT_POOL):
            raise Forbidden("worker for model turns")
        return await self._models.meaning(principal.org, name)

    async def secret(self, principal: Principal, name: str) -> str:
        """The value. SecretWithheld unless the key names it: a role alone lets no secret out of the server."""
        if name not in principal.limits.secrets:
            raise SecretWithheld(name)
        return await self._vault.reveal(principal.org, SecretReference("secret", name))
