"""What the native API says of providers, models and secrets."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from sojourn.web.native.wire import Instant

ModelName = Annotated[str, Meta(min_length=1, max_length=300)]
Reference = Annotated[
    str,
    Meta(
        max_length=200,
        description="Where the key is: `secret://NAME`, or `env:SOJOURN_AGENT_…` of the server's environment.",
    ),
]
Dollars = Annotated[
    str, Meta(pattern=r"^[0-9]{1,6}(\.[0-9]{1,12})?$(?!\n)", description="A decimal number of US dollars.")
]


class NewProvider(Struct, forbid_unknown_fields=True):
    """`base_url` null is the vendor's own address. Only an OpenAI-compatible server needs no key."""

    kind: Literal["anthropic", "google", "openai", "openai-compatible"]
    base_url: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    api_key: Reference | None = None


class Provider(Struct):
    """Its models are named `NAME/model`."""

    name: str
    kind: Literal["anthropic", "google", "openai", "openai-compatible"]
    base_url: str | None
    api_key: str | None
    updated_at: Instant


class Providers(Struct):
    data: list[Provider]


class CallSettings(Struct, forbid_unknown_fields=True, frozen=True):
    """Null is the provider's own choice."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None


class Prices(Struct, forbid_unknown_fields=True, frozen=True):
    """US dollars for a million tokens."""

    input_usd: Dollars
    output_usd: Dollars


class NewModel(Struct, forbid_unknown_fields=True):
    """`provider` is one that is stored, or one that the server knows. `prices` null is what the price list knows."""

    provider: Annotated[str, Meta(min_length=1, max_length=100)]
    model: ModelName
    settings: CallSettings = CallSettings()
    prices: Prices | None = None


class Model(Struct):
    name: str
    provider: str
    model: str
    settings: CallSettings
    prices: Prices | None
    updated_at: Instant


class Models(Struct):
    data: list[Model]


class NewSecret(Struct, forbid_unknown_fields=True):
    """`value` is not shown again."""

    value: Annotated[str, Meta(min_length=1, max_length=65_536)]


class Secret(Struct):
    name: str
    updated_at: Instant


class Secrets(Struct):
    data: list[Secret]
