# Made from src/sojourn/client/models.py by scripts/twin; change that one.
"""Providers, models and secrets that an organisation stores."""

from typing import Unpack

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
from sojourn.client.sync.calls import Calls


class ModelCalls(Calls):
    """Storing one replaces what has the name. Providers and secrets take an administrator's key."""

    def put_provider(self, name: str, **provider: Unpack[NewProvider]) -> Provider:
        return self._transport.fetch(Request("PUT", f"/providers/{name}", body=provider), Provider)

    def get_provider(self, name: str) -> Provider:
        return self._transport.fetch(Request("GET", f"/providers/{name}"), Provider)

    def list_providers(self) -> list[Provider]:
        return (self._transport.fetch(Request("GET", "/providers"), Providers)).data

    def delete_provider(self, name: str) -> None:
        """Conflict while a model is of it."""
        self._transport.perform(Request("DELETE", f"/providers/{name}", repeatable=False))

    def put_model(self, name: str, **model: Unpack[NewModel]) -> Model:
        return self._transport.fetch(Request("PUT", f"/models/{name}", body=model), Model)

    def get_model(self, name: str) -> Model:
        return self._transport.fetch(Request("GET", f"/models/{name}"), Model)

    def list_models(self) -> list[Model]:
        return (self._transport.fetch(Request("GET", "/models"), Models)).data

    def delete_model(self, name: str) -> None:
        self._transport.perform(Request("DELETE", f"/models/{name}", repeatable=False))

    def put_secret(self, name: str, value: str) -> StoredSecret:
        """Nobody can read the value again; `secret://NAME` refers to it."""
        return self._transport.fetch(Request("PUT", f"/secrets/{name}", body={"value": value}), StoredSecret)

    def list_secrets(self) -> list[StoredSecret]:
        return (self._transport.fetch(Request("GET", "/secrets"), StoredSecrets)).data

    def delete_secret(self, name: str) -> None:
        self._transport.perform(Request("DELETE", f"/secrets/{name}", repeatable=False))
