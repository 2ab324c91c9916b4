"""Providers of models, and models, as an organisation stores them."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from sojourn.domain.secret_reference import SecretReference

# A name holds either mark itself behind the first of them.
_MODEL: Final = re.compile(r"([^/:]+)[/:](.+)", re.DOTALL)

ProviderKind = Literal["anthropic", "google", "openai", "openai-compatible"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Whom to ask: `base_url` None is the vendor's own address. Its models are named `NAME/model`.

    Only an OpenAI-compatible server needs no key.
    """

    name: str
    kind: ProviderKind
    base_url: str | None
    api_key: SecretReference | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What a model is told of how to answer; None is the provider's own choice."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None


OWN_CHOICE: Final = CallSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """US dollars for a million tokens."""

    input_usd: Decimal
    output_usd: Decimal

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        return (self.input_usd * input_tokens + self.output_usd * output_tokens) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A name of an organisation's own for a model. `provider` is one that is stored, or one that the server knows.

    `prices` None is what the price list knows.
    """

    name: str
    provider: str
    model: str
    settings: CallSettings
    prices: Prices | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a model's name means in an organisation, without any secret. `stored` None is a provider of no client's."""

    provider: str
    model: str
    settings: CallSettings = OWN_CHOICE
    prices: Prices | None = None
    stored: Provider | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A stored provider with its key in the open: for the call itself, and for nothing that is stored or shown."""

    kind: ProviderKind
    base_url: str | None
    api_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a model's name stands for in an organisation. `endpoint` None is a provider that the server knows."""

    provider: str
    model: str
    settings: CallSettings = OWN_CHOICE
    prices: Prices | None = None
    endpoint: Endpoint | None = None


def split_model(model: str) -> tuple[str, str] | None:
    """Provider and name of `provider/name` or `provider:name`; None for a text that is neither."""
    match = _MODEL.fullmatch(model)
    return None if match is None else (match[1], match[2])
