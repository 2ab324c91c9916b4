"""Who decides."""

from dataclasses import dataclass
from typing import Literal

from sojourn.domain.ids import KeyId


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decided. `key` is set where a credential did."""

    kind: Literal["human", "policy", "timeout"]
    key: KeyId | None = None
