"""Who asks: a JWT that the caller made with the workspace's secret, or a key of the organisation."""

import hashlib
import json
import time
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID, uuid5

from sojourn.domain.errors import Unauthenticated
from sojourn.domain.ids import DEFAULT_ORG, KeyId, OrgId
from sojourn.domain.record import Principal
from sojourn.service.core import Services
from sojourn.web.kit.auth import bearer_token
from sojourn.web.kit.query import parse_query
from sojourn.web.kit.request import Request

CACHE_SECONDS: Final = 5.0
CACHE_TOKENS: Final = 10_000
HMACS: Final = frozenset({"HS256", "HS384", "HS512"})
PUBLIC: Final = frozenset({"ES256", "RS256", "PS256"})
DEFAULT_WORKSPACE: Final = "membrane/default-workspace"
_CALLERS: Final = UUID("6e2f2b7c-6f0b-4a58-9c8e-0e1e5f3f6a11")


@dataclass(frozen=True, slots=True)
class Caller:
    """`tenant` is whose sessions it makes; `sees` is the only tenant whose sessions it sees, None if it sees all.

    `workspace` is the token's, or for a key its organisation's, if that has one.
    """

    principal: Principal
    workspace: str | None = None
    tenant: str | None = None
    sees: str | None = None

    @property
    def place(self) -> str:
        """What stands for an element that nobody named."""
        return self.workspace or self.principal.org.hex


class Tokens:
    def __init__(self, services: Services) -> None:
        self._access = services.access
        self._secrets = services.secrets
        self._clock = services.clock
        # Until when a token is taken for granted: for some seconds, and never for longer than it lives.
        self._cache: dict[bytes, tuple[float, float, Caller]] = {}
        self._workspace: tuple[float, str | None] = (0.0, None)

    async def of(self, request: Request) -> Caller:
        """The header's token; without one that of the query, which the SDK's EventSource cannot send otherwise."""
        if request.header(b"authorization") is None and request.method in ("GET", "HEAD"):
            given = parse_query(request.query_string).get("token", [])
            if given:
                return await self.read(given[0])
        return await self.read(bearer_token(request))

    async def read(self, token: str) -> Caller:
        """Unauthenticated for a token that proves nothing."""
        if token.startswith("pat-") or token.count(".") != 2:
            principal = await self._access.authenticate(token)
            return Caller(principal, await self.workspace_of(principal.org))
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        cached = self._cache.get(digest)
        if cached is not None and cached[0] > time.monotonic() and cached[1] > self._now():
            return cached[2]
        claims = await self._claims(token)
        caller = _caller(claims)
        if len(self._cache) >= CACHE_TOKENS:
            self._cache.clear()
        self._cache[digest] = (time.monotonic() + CACHE_SECONDS, claims["exp"], caller)
        return caller

    async def workspace_of(self, org: OrgId) -> str | None:
        """The workspace that the organisation was given at a start."""
        if org != DEFAULT_ORG:
            return None
        until, workspace = self._workspace
        if until < time.monotonic():
            workspace = await self._secrets.get(DEFAULT_ORG, DEFAULT_WORKSPACE)
            self._workspace = (time.monotonic() + CACHE_SECONDS, workspace)
        return workspace

    async def _claims(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature holds and whose time has come and is not over."""
        try:
            head, body, _ = token.split(".")
            said, alg = _object(body), _object(head).get("alg")
            # The key goes with the family of the algorithm, so a public key is never taken for a shared secret.
            key = await self._key(alg, _workspace(said))
            now = self._now()
            if not (
                _is_signed(token, key, str(alg)) and _number(said.get("nbf", 0)) <= now < _number(said["exp"])
            ):
                raise Unauthenticated
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unauthenticated from None
        return said

    async def _key(self, alg: object, workspace: str) -> str:
        """The organisation of a workspace is the default one: there is no other that could have registered it."""
        if not isinstance(alg, str):
            raise Unauthenticated
        if alg in HMACS:
            name = f"membrane/workspace/{workspace}"
        elif alg in PUBLIC:
            name = f"membrane/public-key/{workspace}"
        else:
            raise Unauthenticated
        key = await self._secrets.get(DEFAULT_ORG, name)
        if key is None:
            raise Unauthenticated
        return key

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _is_signed(token: str, key: str, alg: str) -> bool:
    # The library is loaded when the first token comes.
    from sojourn.web.dialects.membrane.signatures import holds  # noqa: PLC0415

    return holds(token, key, alg)


def _caller(claims: dict[str, Any]) -> Caller:
    workspace, tenant = _workspace(claims), _tenant(claims)
    # The tenant is part of whom an idempotency key belongs to.
    key = KeyId(uuid5(_CALLERS, json.dumps([workspace, tenant])))
    principal = Principal(DEFAULT_ORG, key, "member")
    is_admin = claims.get("isAdmin") in (True, 1)
    return Caller(principal, workspace, tenant, None if is_admin else tenant)


def _workspace(claims: dict[str, Any]) -> str:
    """In the newer spelling, else in the older."""
    return _name(claims["workspaceKey"] if "workspaceKey" in claims else claims["iss"])


def _tenant(claims: dict[str, Any]) -> str | None:
    tenant = claims["tenantKey"] if "tenantKey" in claims else claims.get("id")
    return None if tenant is None else _name(tenant)


def _name(value: object) -> str:
    """A name that a database can keep. A number is one too: customers had numbers for ids."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text or "\0" in text:
        raise Unauthenticated
    # Half of a surrogate pair has no UTF-8: a ValueError.
    text.encode()
    return text


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unauthenticated
    return float(value)


def _object(segment: str) -> dict[str, Any]:
    claims: Any = json.loads(urlsafe_b64decode(segment + "=="))
    if not isinstance(claims, dict):
        raise Unauthenticated
    return cast("dict[str, Any]", claims)
