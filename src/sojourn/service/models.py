"""Providers and models that organisations store, and what a model's name stands for."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

from sojourn.domain.errors import InvalidRequest, NotFound, WrongState
from sojourn.domain.ids import OrgId
from sojourn.domain.names import check_name
from sojourn.domain.provider import Binding, Endpoint, Meaning, Model, Provider, split_model
from sojourn.outgoing import Outgoing
from sojourn.ports import Store, Tx
from sojourn.ports.vault import SecretSource

T = TypeVar("T")

# How long a change that another process made may stay unseen.
CACHE_SECONDS: Final = 5.0
CACHE_NAMES: Final = 10_000

# The server's own: no organisation can put another in their place.
OWN_PROVIDERS: Final = frozenset({"sim", "local"})


class Models:
    def __init__(self, store: Store, secrets: SecretSource, outgoing: Outgoing) -> None:
        self._store = store
        self._secrets = secrets
        self._outgoing = outgoing
        self._providers = Kept[Provider | None](store.reads.get_provider)
        self._models = Kept[Model | None](store.reads.get_model)

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
        return await bound(await self.meaning(org, model), self._secrets, org)

    async def meaning(self, org: OrgId, model: str) -> Meaning:
        """Of `provider/model`, or of the name of a stored one. NotFound for anything else."""
        parts = split_model(model)
        if parts is not None:
            provider, name = parts
            return Meaning(provider=provider, model=name, stored=await self._stored(org, provider))
        found = _found("model", model[:200], await self._models.get(org, model))
        return Meaning(
            provider=found.provider,
            model=found.model,
            settings=found.settings,
            prices=found.prices,
            stored=await self._stored(org, found.provider),
        )

    async def _stored(self, org: OrgId, name: str) -> Provider | None:
        return None if name in OWN_PROVIDERS else await self._providers.get(org, name)


async def bound(meaning: Meaning, secrets: SecretSource, org: OrgId) -> Binding:
    """With the provider's key in the open, which `secrets` have."""
    stored, endpoint = meaning.stored, None
    if stored is not None:
        key = None if stored.api_key is None else await secrets.reveal(org, stored.api_key)
        endpoint = Endpoint(kind=stored.kind, base_url=stored.base_url, api_key=key)
    return Binding(
        provider=meaning.provider,
        model=meaning.model,
        settings=meaning.settings,
        prices=meaning.prices,
        endpoint=endpoint,
    )


class Kept(Generic[T]):
    """What was read of late, absences included: a model call must not wait for the store to say that nothing is new."""

    def __init__(self, read: Callable[[OrgId, str], Awaitable[T]]) -> None:
        self._read = read
        self._kept: dict[tuple[OrgId, str], tuple[float, T]] = {}

    async def get(self, org: OrgId, name: str) -> T:
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
