"""Headers that a client says its requests should carry: what is secret in them is referred to, never said."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json
from sojourn.domain.secret_reference import SecretReference, read_reference

MAX_HEADERS: Final = 32
MAX_HEADER_LENGTH: Final = 4_096
# Of the connection itself; whoever makes it sets them.
CONNECTION_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_REFERENCE: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]{0,31} )?(?P<reference>(?:env:|secret://).*)")
_SECRET: Final = re.compile(r"auth|cookie|credential|key|passw|secret|signature|token", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SecretHeader:
    """A header whose value is a secret, behind `prefix` (`Bearer `, or nothing)."""

    reference: SecretReference
    prefix: str = ""


HeaderValue = str | SecretHeader


def read_headers(
    place: str, headers: Mapping[str, Json], reserved: Collection[str] = CONNECTION_HEADERS
) -> Mapping[str, HeaderValue]:
    """InvalidRequest, with the field below `place`, for what no request can carry or should not.

    `reserved` are names in lower case.
    """
    if len(headers) > MAX_HEADERS:
        raise InvalidRequest(place, f"must not be more than {MAX_HEADERS}")
    return {name: _header(place, name, value, reserved) for name, value in headers.items()}


def _header(place: str, name: str, value: Json, reserved: Collection[str]) -> HeaderValue:
    if not _NAME.fullmatch(name):
        raise InvalidRequest(place, f"{name[:100]!r} is no name of a header")
    place = f"{place}.{name}"
    if name.lower() in reserved:
        raise InvalidRequest(place, "is set by the server itself")
    if (
        not isinstance(value, str)
        or len(value) > MAX_HEADER_LENGTH
        or not value.isascii()
        or not value.isprintable()
    ):
        raise InvalidRequest(place, f"must be printable ASCII text of at most {MAX_HEADER_LENGTH} characters")
    match = _REFERENCE.fullmatch(value)
    if match is not None:
        return SecretHeader(read_reference(place, match["reference"]), match["scheme"] or "")
    if _SECRET.search(name):
        # Refused with the words that tell how to refer to one.
        read_reference(place, value)
    return value
