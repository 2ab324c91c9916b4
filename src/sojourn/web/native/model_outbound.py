"""Providers, models and secrets, in the native API's format. Pure."""

from sojourn.domain import provider as domain
from sojourn.service.vault import StoredSecret
from sojourn.web.native import model_wire


def provider(found: domain.Provider) -> model_wire.Provider:
    key = None if found.api_key is None else str(found.api_key)
    return model_wire.Provider(found.name, found.kind, found.base_url, key, found.updated_at)


def model(found: domain.Model) -> model_wire.Model:
    return model_wire.Model(
        found.name,
        found.provider,
        found.model,
        settings(found.settings),
        prices(found.prices),
        found.updated_at,
    )


def settings(found: domain.CallSettings) -> model_wire.CallSettings:
    return model_wire.CallSettings(found.temperature, found.top_p, found.max_tokens)


def prices(found: domain.Prices | None) -> model_wire.Prices | None:
    return None if found is None else model_wire.Prices(f"{found.input_usd:f}", f"{found.output_usd:f}")


def secret(found: StoredSecret) -> model_wire.Secret:
    return model_wire.Secret(found.name, found.updated_at)
