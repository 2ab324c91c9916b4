"""Models: our names for them, `provider/name`, behind ids as Everruns gives them. Pure."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from sojourn.domain.provider import Model, split_model
from sojourn.web.dialects.everruns import ids

# An id is made of the name alone, so that it is the same everywhere and needs no table.
_MODELS: Final = UUID("6f1c2c8e-5d6b-5a8f-9a55-0d5a6b1f6a01")
_PROVIDERS: Final = UUID("6f1c2c8e-5d6b-5a8f-9a55-0d5a6b1f6a02")

SIMULATED: Final = "sim"
# What there is without any provider's key.
ALWAYS: Final = ("sim/echo", "sim/script")


@dataclass(frozen=True, slots=True)
class Known:
    """A model by the name that an agent has it by; `stored` is what the organisation has put behind that name."""

    name: str
    stored: Model | None = None


def uuid_of(name: str) -> UUID:
    return uuid5(_MODELS, name)


def id_of(name: str) -> str:
    return ids.text("model", uuid_of(name))


def provider_of(name: str) -> str:
    parts = split_model(name)
    return parts[0] if parts else name


def provider_id(provider: str) -> str:
    return ids.text("provider", uuid5(_PROVIDERS, provider))


def is_name(text: str) -> bool:
    """Whether it can only be a model's own name; an id has neither a slash nor a colon."""
    return split_model(text) is not None
