"""Typed identifiers. Every id is a UUID; the ones minted here are version 7, so they sort by time of creation."""

import os
import time
from typing import NewType
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

DEFAULT_ORG = OrgId(UUID("00000000-0000-0000-0000-000000000001"))

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    rand_a = (random >> 62) & 0xFFF
    rand_b = random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=(milliseconds << 80) | _VERSION_7 | (rand_a << 64) | _VARIANT | rand_b)
