"""Where a model's name leads, and the store's verbs for what organisations have said of that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sojourn.domain.ids import OrgId
from sojourn.domain.provider import Binding, Model, Provider


class ModelSource(Protocol):
    async def bind(self, org: OrgId, model: str) -> Binding:
        """NotFound for a name that stands for nothing or a key that is not there, SecretWithheld as `SecretSource`."""
        ...


class ModelReads(Protocol):
    async def get_provider(self, org: OrgId, name: str) -> Provider | None: ...
    async def list_providers(self, org: OrgId) -> Sequence[Provider]: ...
    async def get_model(self, org: OrgId, name: str) -> Model | None: ...
    async def list_models(self, org: OrgId) -> Sequence[Model]: ...
    async def list_secrets(self, org: OrgId) -> Sequence[tuple[str, datetime]]:
        """The names of those that clients have stored, and when each was."""
        ...


class ModelWrites(Protocol):
    async def write_provider(self, org: OrgId, provider: Provider) -> None: ...
    async def delete_provider(self, org: OrgId, name: str) -> bool:
        """False if there is none."""
        ...

    async def write_model(self, org: OrgId, model: Model) -> None: ...
    async def delete_model(self, org: OrgId, name: str) -> bool:
        """False if there is none."""
        ...
