"""Credentials: tokens to principals. Only hashes of tokens are kept."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sojourn.domain.errors import InvalidRequest, NotFound, Unauthenticated
from sojourn.domain.ids import KeyId, OrgId, uuid7
from sojourn.domain.names import check_name
from sojourn.domain.record import Key, Principal, Role
from sojourn.domain.worker import NO_LIMITS, WorkerLimits
from sojourn.ports import Clock, Store, Tx
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, once

# How long a revoked key may still be taken by another process than the one that revoked it.
CACHE_SECONDS: Final = 5.0
CACHE_KEYS: Final = 10_000


def hash_token(token: str) -> bytes:
    """Tokens are long and random, so one round of SHA-256 is enough; a guess is no cheaper than the token itself."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_token() -> str:
    return f"sj_{secrets.token_urlsafe(32)}"


class Access:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._cache: dict[bytes, tuple[float, Principal]] = {}

    async def authenticate(self, token: str) -> Principal:
        """The principal of a token; Unauthenticated for an unknown or revoked one."""
        token_hash = hash_token(token)
        cached = self._cache.get(token_hash)
        if cached is not None and cached[0] > time.monotonic():
            return cached[1]
        key = await self._store.reads.find_key(token_hash)
        if key is None or key.revoked_at is not None or not hmac.compare_digest(key.token_hash, token_hash):
            self._cache.pop(token_hash, None)
            raise Unauthenticated
        principal = Principal(key.org, key.id, key.role, key.limits)
        if len(self._cache) >= CACHE_KEYS:
            self._cache.clear()
        self._cache[token_hash] = (time.monotonic() + CACHE_SECONDS, principal)
        return principal

    async def issue_key(self, org: OrgId, name: str, role: Role) -> str:
        """Make a key and return its token, which nobody can read again."""
        token = new_token()
        await self._write_key(org, name, role, token)
        return token

    async def make_key(
        self, org: OrgId, name: str, role: Role, limits: WorkerLimits, repeat: Repeat | None
    ) -> tuple[Result[Key], str | None]:
        """A new key and its token; None for a repetition, as the token was shown once and is kept nowhere."""
        now, token = self._clock.now(), new_token()
        if limits != NO_LIMITS and role != "worker":
            field = "secrets" if limits.secrets else "limits"
            raise InvalidRequest(field, "are those of a key of the role worker")
        for secret in limits.secrets:
            check_name("secrets", secret)
        key = Key(
            id=KeyId(uuid7()),
            org=org,
            name=name,
            role=role,
            token_hash=hash_token(token),
            created_at=now,
            limits=limits,
        )

        async def verb(tx: Tx) -> Remembered:
            async def make() -> Remembered:
                await tx.write_key(key)
                return Remembered({"key": str(key.id)})

            return await once(tx, org, repeat, now, make)

        answer = await self._store.write(verb)
        made = await self.get_key(org, KeyId(UUID(answer.ids["key"])))
        return Result(made, replayed=answer.replayed), None if answer.replayed else token

    async def get_key(self, org: OrgId, key: KeyId) -> Key:
        found = await self._store.reads.get_key(org, key)
        if found is None:
            raise NotFound("key", key)
        return found

    async def list_keys(self, org: OrgId) -> Sequence[Key]:
        """In the order in which they were made, the revoked ones too."""
        return await self._store.reads.list_keys(org)

    async def revoke_key(self, org: OrgId, key: KeyId) -> Key:
        """From now on nobody is let in with it: in this process at once, in others within CACHE_SECONDS."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Key:
            found = await tx.get_key(org, key)
            if found is None:
                raise NotFound("key", key)
            if found.revoked_at is None:
                found = replace(found, revoked_at=now)
                await tx.write_key(found)
            return found

        revoked = await self._store.write(verb)
        self._cache.pop(revoked.token_hash, None)
        return revoked

    async def ensure_key(self, org: OrgId, name: str, role: Role, token: str) -> None:
        """Make a key with a given token, unless it is there."""
        await self._write_key(org, name, role, token)

    async def _write_key(self, org: OrgId, name: str, role: Role, token: str) -> None:
        now = self._clock.now()
        key = Key(
            id=KeyId(uuid7()), org=org, name=name, role=role, token_hash=hash_token(token), created_at=now
        )

        async def verb(tx: Tx) -> None:
            # Processes that start together are all given the same one.
            if await tx.find_key(key.token_hash) is None:
                await tx.write_key(key)

        await self._store.write(verb)

    async def ensure_org(self, org: OrgId, name: str) -> None:
        now: datetime = self._clock.now()

        async def verb(tx: Tx) -> None:
            await tx.insert_org(org, name, now)

        await self._store.write(verb)
