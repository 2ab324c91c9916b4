"""What the native API sends and takes of providers, models and secrets. Prices are US dollars for a million tokens."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, Required, TypedDict

from sojourn.client.wire import Wire

ProviderKind = Literal["anthropic", "google", "openai", "openai-compatible"]


class Provider(Wire, frozen=True, kw_only=True):
    """Its models are named `NAME/model`. `api_key` is a reference, never the key."""

    name: str
    kind: ProviderKind
    base_url: str | None
    api_key: str | None
    updated_at: datetime


class CallSettings(Wire, frozen=True, kw_only=True, omit_defaults=True):
    """None is the provider's own choice."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


class Prices(Wire, frozen=True, kw_only=True):
    input_usd: Decimal
    output_usd: Decimal


class Model(Wire, frozen=True, kw_only=True):
    """A name of the organisation's own for a model. `prices` None is what the price list knows."""

    name: str
    provider: str
    model: str
    settings: CallSettings
    prices: Prices | None
    updated_at: datetime


class StoredSecret(Wire, frozen=True, kw_only=True):
    """The value is never shown."""

    name: str
    updated_at: datetime


class NewProvider(TypedDict, total=False):
    """Only an OpenAI-compatible server needs no `api_key`: `secret://NAME`, or `env:SOJOURN_AGENT_…`."""

    kind: Required[ProviderKind]
    base_url: str | None
    api_key: str | None


class NewModel(TypedDict, total=False):
    provider: Required[str]
    model: Required[str]
    settings: CallSettings
    prices: Prices | None


class Providers(Wire, frozen=True, kw_only=True):
    data: list[Provider]


class Models(Wire, frozen=True, kw_only=True):
    data: list[Model]


class StoredSecrets(Wire, frozen=True, kw_only=True):
    data: list[StoredSecret]
