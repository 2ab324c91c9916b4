"""Providers and models that organisations store, and what a model's name stands for."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from sojourn.domain.errors import InvalidRequest, NotFound, WrongState
from sojourn.domain.ids import OrgId
from sojourn.domain.names import check_name
from sojourn.domain.provider import Binding, Endpoint, Model, Provider, split_model
from sojourn.outgoing import Outgoing
from sojourn.ports import Store, Tx
from sojourn.service.vault import Vault

T = TypeVar("T", Provider, Model)

# How long a change that another process made may stay unseen.
CACHE_SECONDS: Final = 5.0
CACHE_NAMES: Final = 10_000

# The server's own: no organisation can put another in their place.
OWN_PROVIDERS: Final = frozenset({"sim", "local"})


class Models:
    def __init__(self, store: Store, vault: Vault, outgoing: Outgoing) -> None:
        self._store = store
        self._vault = vault
        self._outgoing = outgoing
        self._providers = _Kept[Provider](store.reads.get_provider)
        self._models = _Kept[Model](store.reads.get_model)

    async def put_provider(self, org: OrgId, provider: Provider) -> Provider:
        """Make a provider, or replace it. InvalidRequest for one that could not be asked."""
        check_name("provider", provider.name)
        if provider.name in OWN_PROVIDERS:
            raise InvalidRequest("provider", f"{provider.name} is the server's own")
        if provider.base_url is None and provider.kind == "openai-compatible":
            raise InvalidRequest("base_url", "is needed for an OpenAI-compatible server")
        # Without a key of its own a vendor's library would take the server's, and send it to that URL.
        if provider.api_key is None and provider.kind != "openai-compatible":
            raise InvalidRequest("api_key", f"is needed for {provider.kind}: secret://NAME, or env:NAME")
        if provider.base_url is not None:
            await self._outgoing.check("base_url", provider.base_url)
        await self._store.write(lambda tx: tx.write_provider(org, provider))
        self._providers.forget(org, provider.name)
        return provider

    async def get_provider(self, org: OrgId, name: str) -> Provider:
        return _found("provider", name, await self._store.reads.get_provider(org, name))

    async def list_providers(self, org: OrgId) -> Sequence[Provider]:
        return await self._store.reads.list_providers(org)

    async def delete_provider(self, org: OrgId, name: str) -> None:
        """WrongState while a model is of it."""

        async def verb(tx: Tx) -> None:
            if any(model.provider == name for model in await tx.list_models(org)):
                raise WrongState("provider", "used by a model", "be deleted")
            if not await tx.delete_provider(org, name):
                raise NotFound("provider", name)

        await self._store.write(verb)
        self._providers.forget(org, name)

    async def put_model(self, org: OrgId, model: Model) -> Model:
        """Name a model, or replace what the name stands for."""
        check_name("model", model.name)
        await self._store.write(lambda tx: tx.write_model(org, model))
        self._models.forget(org, model.name)
        return model

    async def get_model(self, org: OrgId, name: str) -> Model:
        return _found("model", name, await self._store.reads.get_model(org, name))

    async def list_models(self, org: OrgId) -> Sequence[Model]:
        return await self._store.reads.list_models(org)

    async def delete_model(self, org: OrgId, name: str) -> None:
        """Agents that name it fail clearly from then on."""

        async def verb(tx: Tx) -> None:
            if not await tx.delete_model(org, name):
                raise NotFound("model", name)

        await self._store.write(verb)
        self._models.forget(org, name)

    async def bind(self, org: OrgId, model: str) -> Binding:
        """What a model's name stands for: `provider/model`, or the name of a stored one. NotFound for anything else."""
        parts = split_model(model)
        if parts is not None:
            provider, name = parts
            return Binding(provider=provider, model=name, endpoint=await self._endpoint(org, provider))
        stored = _found("model", model[:200], await self._models.get(org, model))
        return Binding(
            provider=stored.provider,
            model=stored.model,
            settings=stored.settings,
            prices=stored.prices,
            endpoint=await self._endpoint(org, stored.provider),
        )

    async def _endpoint(self, org: OrgId, name: str) -> Endpoint | None:
        provider = None if name in OWN_PROVIDERS else await self._providers.get(org, name)
        if provider is None:
            return None
        key = None if provider.api_key is None else await self._vault.reveal(org, provider.api_key)
        return Endpoint(kind=provider.kind, base_url=provider.base_url, api_key=key)


class _Kept(Generic[T]):
    """What was read of late, absences included: a model call must not wait for the store to say that nothing is new."""

    def __init__(self, read: Callable[[OrgId, str], Awaitable[T | None]]) -> None:
        self._read = read
        self._kept: dict[tuple[OrgId, str], tuple[float, T | None]] = {}

    async def get(self, org: OrgId, name: str) -> T | None:
        kept = self._kept.get((org, name))
        if kept is not None and kept[0] > time.monotonic():
            return kept[1]
        found = await self._read(org, name)
        if len(self._kept) >= CACHE_NAMES:
            self._kept.clear()
        self._kept[org, name] = (time.monotonic() + CACHE_SECONDS, found)
        return found

    def forget(self, org: OrgId, name: str) -> None:
        self._kept.pop((org, name), None)


def _found(kind: str, name: str, found: T | None) -> T:
    if found is None:
        raise NotFound(kind, name)
    return found
