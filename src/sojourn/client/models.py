"""Providers, models and secrets that an organisation stores."""

from typing import Unpack

from sojourn.client.calls import Calls
from sojourn.client.model_types import (
    Model,
    Models,
    NewModel,
    NewProvider,
    Provider,
    Providers,
    StoredSecret,
    StoredSecrets,
)
from sojourn.client.request import Request


class ModelCalls(Calls):
    """Storing one replaces what has the name. Providers and secrets take an administrator's key."""

    async def put_provider(self, name: str, **provider: Unpack[NewProvider]) -> Provider:
        return await self._transport.fetch(Request("PUT", f"/providers/{name}", body=provider), Provider)

    async def get_provider(self, name: str) -> Provider:
        return await self._transport.fetch(Request("GET", f"/providers/{name}"), Provider)

    async def list_providers(self) -> list[Provider]:
        return (await self._transport.fetch(Request("GET", "/providers"), Providers)).data

    async def delete_provider(self, name: str) -> None:
        """Conflict while a model is of it."""
        await self._transport.perform(Request("DELETE", f"/providers/{name}", repeatable=False))

    async def put_model(self, name: str, **model: Unpack[NewModel]) -> Model:
        return await self._transport.fetch(Request("PUT", f"/models/{name}", body=model), Model)

    async def get_model(self, name: str) -> Model:
        return await self._transport.fetch(Request("GET", f"/models/{name}"), Model)

    async def list_models(self) -> list[Model]:
        return (await self._transport.fetch(Request("GET", "/models"), Models)).data

    async def delete_model(self, name: str) -> None:
        await self._transport.perform(Request("DELETE", f"/models/{name}", repeatable=False))

    async def put_secret(self, name: str, value: str) -> StoredSecret:
        """Nobody can read the value again; `secret://NAME` refers to it."""
        return await self._transport.fetch(
            Request("PUT", f"/secrets/{name}", body={"value": value}), StoredSecret
        )

    async def list_secrets(self) -> list[StoredSecret]:
        return (await self._transport.fetch(Request("GET", "/secrets"), StoredSecrets)).data

    async def delete_secret(self, name: str) -> None:
        await self._transport.perform(Request("DELETE", f"/secrets/{name}", repeatable=False))
