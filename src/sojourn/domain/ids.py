"""Typed identifiers. Every id is a UUID; the ones minted here are version 7, so they sort in the order of creation."""

import os
import time
from typing import Final, NewType
from uuid import UUID

OrgId = NewType("OrgId", UUID)
KeyId = NewType("KeyId", UUID)
AgentId = NewType("AgentId", UUID)
SessionId = NewType("SessionId", UUID)
InputId = NewType("InputId", UUID)
TurnId = NewType("TurnId", UUID)
AskId = NewType("AskId", UUID)
EventId = NewType("EventId", UUID)
MessageId = NewType("MessageId", UUID)
BudgetId = NewType("BudgetId", UUID)
BudgetEntryId = NewType("BudgetEntryId", UUID)

DEFAULT_ORG = OrgId(UUID("00000000-0000-0000-0000-000000000001"))

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


class _Instants:
    """Rising instants in 4,096ths of a millisecond: the time, or the next one where that was drawn before.

    Two threads that read the same `_last` draw the same instant. Ids of one instant are told apart by their random
    bits, and of two that are made at once neither is the earlier one.
    """

    def __init__(self) -> None:
        self._last = 0

    def draw(self) -> int:
        self._last = instant = max((time.time_ns() << 12) // 1_000_000, self._last + 1)
        return instant


_INSTANTS: Final = _Instants()


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562 section 5.7) that is greater than every earlier one of this process.

    48 bits of Unix milliseconds and 12 of their fractions (section 6.2, method 3), then 62 random bits.
    """
    milliseconds, fraction = divmod(_INSTANTS.draw(), 4096)
    random = int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (fraction << 64) | _VARIANT | random)
