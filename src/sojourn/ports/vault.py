"""Where the values of secrets come from."""

from typing import Protocol

from sojourn.domain.ids import OrgId
from sojourn.domain.secret_reference import SecretReference


class SecretSource(Protocol):
    async def reveal(self, org: OrgId, reference: SecretReference) -> str:
        """The value, to be used and forgotten. NotFound where there is none, SecretWithheld where it may not be had."""
        ...
