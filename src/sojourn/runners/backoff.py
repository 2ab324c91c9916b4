"""How long to wait before the next try."""

import random
from typing import Final

MAX_SECONDS: Final = 60.0
# Whoever failed may ask for more patience than we would have by ourselves; a turn that waits for it costs nothing.
MAX_HINT_SECONDS: Final = 3600.0


def backoff(faults: int, hint_seconds: float | None) -> float:
    """The hint of whoever failed, else half a second doubled at each fault, with jitter so that turns do not march."""
    if hint_seconds is not None:
        return min(max(hint_seconds, 0.0), MAX_HINT_SECONDS)
    return min(0.5 * 2**faults, MAX_SECONDS) * random.uniform(0.5, 1.0)
