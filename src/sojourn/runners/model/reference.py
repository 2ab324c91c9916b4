"""How a model is named in a configuration: `provider/name` or `provider:name`."""

import re
from typing import Final

from sojourn.runners.model.client import FatalModelError

LOCAL: Final = "local"
COMPATIBLE: Final = "openai-compatible"

_REFERENCE = re.compile(r"([^/:]+)[/:](.+)", re.DOTALL)


def split_model(model: str) -> tuple[str, str]:
    """Provider and name, parted at the first `/` or `:`; the name may hold either itself. Raises FatalModelError."""
    match = _REFERENCE.fullmatch(model)
    if match is None:
        raise FatalModelError(f"A model is written as provider/name, and {model[:200]!r} is not.")
    return match[1], match[2]
