"""Keys between rows and records."""

from uuid import UUID

import msgspec

from sojourn.domain.ids import KeyId, OrgId
from sojourn.domain.record import Key
from sojourn.domain.worker import NO_LIMITS, WorkerLimits
from sojourn.store.rows import Row, to_instant, to_instant_or_none

_decode_limits = msgspec.json.Decoder(WorkerLimits).decode


def key_of(row: Row) -> Key:
    org, id, name, role, limits, token_hash, created_at, revoked_at = row
    return Key(
        org=OrgId(UUID(bytes=org)),
        id=KeyId(UUID(bytes=id)),
        name=name,
        role=role,
        limits=NO_LIMITS if limits is None else _decode_limits(limits),
        token_hash=token_hash,
        created_at=to_instant(created_at),
        revoked_at=to_instant_or_none(revoked_at),
    )
