"""Who says something, or decides."""

from dataclasses import dataclass
from typing import Final, Literal

from sojourn.domain.ids import KeyId

ActorKind = Literal["human", "agent", "schedule", "policy", "timeout"]


@dataclass(frozen=True, slots=True)
class Actor:
    """An `agent` or a `schedule` speaks on somebody's account; a `policy` or a `timeout` decides by itself.

    `key` is set where a credential did.
    """

    kind: ActorKind
    key: KeyId | None = None


POLICY: Final = Actor("policy")


TIMEOUT: Final = Actor("timeout")
