"""What a mutation answers, and how it is told from its own repetition."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

from sojourn.domain.ids import KeyId

T = TypeVar("T")


class _Unset(Enum):
    UNSET = "unset"


Unset = _Unset
UNSET: Final = _Unset.UNSET


@dataclass(frozen=True, slots=True)
class Repeat:
    """The idempotency key of a request. `request_hash` tells the same request from another under the same key."""

    key: KeyId
    operation: str
    idempotency_key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Result(Generic[T]):
    """`created` False: the thing was there before. `replayed`: the request is a repetition and changed nothing."""

    value: T
    created: bool = True
    replayed: bool = False
