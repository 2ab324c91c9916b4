"""What starting a local model tells its caller on the way, and the one way it can fail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["fetching", "checking", "loading", "ready"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a start has got to. Only `fetching` counts bytes: those on disk so far, and all that are to come."""

    stage: Stage
    done_bytes: int = 0
    total_bytes: int = 0


ProgressListener = Callable[[Progress], None]


class LocalModelUnavailable(Exception):
    """The local model cannot run here; the first argument is one sentence that says why, and what to do."""
