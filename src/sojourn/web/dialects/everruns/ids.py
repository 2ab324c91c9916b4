"""Ids as Everruns writes them: a prefix that says of what, and 32 lower-case hexadecimal digits. Pure."""

import re
from typing import Final, Literal
from uuid import UUID

from sojourn.domain.ids import SessionId
from sojourn.web.kit.refusals import BadRequest

Prefix = Literal[
    "session",
    "agent",
    "agentver",
    "harness",
    "model",
    "provider",
    "org",
    "event",
    "message",
    "turn",
    "wsp",
    "principal",
    "bdgt",
    "appchan",
]

# What a complaint calls the thing; the others are called by their prefix.
_NAMES: Final[dict[str, str]] = {
    "agentver": "agent version",
    "wsp": "workspace",
    "bdgt": "budget",
    "appchan": "channel",
}
_HEX: Final = re.compile(r"[0-9a-f]{32}")
_LONGEST_SHOWN: Final = 100


def text(prefix: Prefix, id: UUID) -> str:
    return f"{prefix}_{id.hex}"


def parse(prefix: Prefix, value: str) -> UUID:
    """The UUID of an id; BadRequest for what is none, which is another answer than that of an unknown one."""
    head, _, digits = value.partition("_")
    if head != prefix or _HEX.fullmatch(digits) is None:
        name = _NAMES.get(prefix, prefix)
        raise BadRequest(f"Invalid {name} ID: {value[:_LONGEST_SHOWN]}")
    return UUID(hex=digits)


def session(value: str) -> SessionId:
    return SessionId(parse("session", value))
