"""Who decides."""

from dataclasses import dataclass
from typing import Final, Literal

from sojourn.domain.ids import KeyId


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decided. `key` is set where a credential did."""

    kind: Literal["human", "policy", "timeout", "agent", "schedule"]
    key: KeyId | None = None


POLICY: Final = Actor("policy")
