"""Models and secrets for a worker that has no store: what its server tells it, and what its key is given."""

from sojourn.client import Client, Forbidden, model_types
from sojourn.client import errors as refusals
from sojourn.domain.errors import NotFound, SecretWithheld
from sojourn.domain.ids import OrgId
from sojourn.domain.provider import Binding, CallSettings, Meaning, Prices, Provider, split_model
from sojourn.domain.secret_reference import SecretReference, read_reference
from sojourn.ports.vault import SecretSource
from sojourn.service.models import OWN_PROVIDERS, Kept, bound
from sojourn.worker.over_http import translated


class ServerSecrets:
    """Variables are those of the worker's own environment; stored secrets come from the server, and are not kept."""

    def __init__(self, client: Client, environment: SecretSource) -> None:
        self._client = client
        self._environment = environment

    async def reveal(self, org: OrgId, reference: SecretReference) -> str:
        """NotFound where there is none, SecretWithheld where the worker's key is not given it."""
        if reference.source == "env":
            return await self._environment.reveal(org, reference)
        try:
            async with translated(None):
                return await self._client.lent_secret(reference.name)
        except Forbidden:
            raise SecretWithheld(reference.name) from None
        except refusals.NotFound:
            raise NotFound("secret", reference) from None


class ServerModels:
    """What a name means is asked of the server once in a while, and its provider called from here."""

    def __init__(self, client: Client, secrets: SecretSource) -> None:
        self._client = client
        self._secrets = secrets
        self._kept = Kept[Binding](self._bind)

    async def bind(self, org: OrgId, model: str) -> Binding:
        parts = split_model(model)
        if parts is not None and parts[0] in OWN_PROVIDERS:
            return Binding(provider=parts[0], model=parts[1])
        return await self._kept.get(org, model)

    async def _bind(self, org: OrgId, model: str) -> Binding:
        try:
            async with translated(None):
                meant = await self._client.meant_model(model)
        except refusals.NotFound:
            raise NotFound("model", model[:200]) from None
        settings, prices = meant.settings, meant.prices
        meaning = Meaning(
            provider=meant.provider,
            model=meant.model,
            settings=CallSettings(
                temperature=settings.temperature, top_p=settings.top_p, max_tokens=settings.max_tokens
            ),
            prices=None
            if prices is None
            else Prices(input_usd=prices.input_usd, output_usd=prices.output_usd),
            stored=None if meant.stored is None else _provider(meant.stored),
        )
        return await bound(meaning, self._secrets, org)


def _provider(found: model_types.Provider) -> Provider:
    return Provider(
        name=found.name,
        kind=found.kind,
        base_url=found.base_url,
        api_key=None if found.api_key is None else read_reference("api_key", found.api_key),
        updated_at=found.updated_at,
    )
