"""How a model is named in a configuration: `provider/name` or `provider:name`."""

from typing import Final

from sojourn.domain import provider
from sojourn.runners.model.client import FatalModelError

LOCAL: Final = "local"
COMPATIBLE: Final = "openai-compatible"


def split_model(model: str) -> tuple[str, str]:
    """Provider and name, parted at the first `/` or `:`; the name may hold either itself. Raises FatalModelError."""
    parts = provider.split_model(model)
    if parts is None:
        raise FatalModelError(f"A model is written as provider/name, and {model[:200]!r} is not.")
    return parts
