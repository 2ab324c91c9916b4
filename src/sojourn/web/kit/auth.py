"""Credentials as they come in headers, and what the role of a key allows."""

from collections.abc import Mapping
from typing import Final, Literal

from sojourn.domain.errors import Forbidden, Unauthenticated
from sojourn.domain.record import Principal, Role
from sojourn.web.kit.request import Request

Scope = Literal[
    "org:read",
    "org:write",
    "self:read",
    "agents:read",
    "agents:write",
    "sessions:read",
    "sessions:write",
    "presence:write",
    "turns:work",
    "keys:read",
    "keys:write",
    "webhooks:read",
    "webhooks:write",
    "models:read",
    "models:write",
    "secrets:read",
    "secrets:write",
]

# A worker is somebody else's program: of sessions it sees those whose turns it has claimed.
_WORKER: Final = frozenset[Scope](("self:read", "turns:work", "presence:write"))
_REPORTER: Final = frozenset[Scope](
    ("self:read", "org:read", "agents:read", "sessions:read", "presence:write")
)
_MEMBER: Final = _REPORTER | frozenset[Scope](("agents:write", "sessions:write", "models:read"))

# Administrators choose whoever is told of every session of an organisation, and where its keys are sent.
_ADMIN: Final = _MEMBER | frozenset[Scope](
    (
        "org:write",
        "turns:work",
        "keys:read",
        "keys:write",
        "webhooks:read",
        "webhooks:write",
        "models:write",
        "secrets:read",
        "secrets:write",
    )
)

SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    "worker": _WORKER,
    "reporter": _REPORTER,
    "member": _MEMBER,
    "admin": _ADMIN,
}


def bearer_token(request: Request) -> str:
    """The token of `Authorization: Bearer <token>` (RFC 6750 section 2.1; the scheme in any case)."""
    header = request.header(b"authorization")
    if header is None:
        raise Unauthenticated
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated
    return token


def require(principal: Principal, scope: Scope) -> None:
    """Forbidden unless the role of the key has the scope."""
    if scope not in SCOPES[principal.role]:
        raise Forbidden(scope)
