"""A change of a session as a client says it: what it leaves of the policy, and what the log says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import msgspec

from sojourn.domain.kinds import Json
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.record import SessionRecord
from sojourn.ports import Tx
from sojourn.service.results import UNSET, Unset

EndStatus = Literal["completed", "failed", "cancelled", "expired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """New values; UNSET, or None where a value cannot be null, leaves a field as it is. An `overlay` is replaced whole.

    `expires_at` is that one deadline of the policy. `facet` replaces a dialect's own fields (its name, JSON text);
    `revise` makes them from what there is under the session's lock.
    `active_at` is when the session was last active, `stated_status` the client's own word for its state; `end` ends
    a session that is open.
    """

    title: str | Unset | None = UNSET
    metadata: Mapping[str, Json] | Unset = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    policy: Policy | Unset = UNSET
    expires_at: datetime | Unset | None = UNSET
    overlay: Overlay | Unset | None = UNSET
    facet: tuple[str, str] | None = None
    alias: str | Unset | None = UNSET
    revise: tuple[str, Callable[[SessionRecord], str]] | None = None
    active_at: datetime | None = None
    stated_status: str | None = None
    end: EndStatus | None = None


def next_policy(change: SessionChange, policy: Policy) -> Policy | None:
    """The session's next policy, None if the change leaves it as it is."""
    if not isinstance(change.policy, Unset):
        # `expires_at` is set by itself, and by clients that know of no other limit; an extension is nobody's limit.
        policy = replace(
            change.policy,
            expires_at=change.policy.expires_at or policy.expires_at,
            extended_to=change.policy.extended_to or policy.extended_to,
        )
    elif isinstance(change.expires_at, Unset) or change.expires_at == policy.expires_at:
        return None
    if not isinstance(change.expires_at, Unset):
        policy = replace(policy, expires_at=change.expires_at, extended_to=None)
    return NO_POLICY if policy == NO_POLICY else policy


async def describe(tx: Tx, record: SessionRecord, change: SessionChange) -> None:
    described = replace(
        record,
        title=record.title if isinstance(change.title, Unset) else change.title,
        metadata=record.metadata if isinstance(change.metadata, Unset) else change.metadata,
        tags=record.tags if isinstance(change.tags, Unset) else change.tags,
        overlay=record.overlay if isinstance(change.overlay, Unset) else change.overlay,
    )
    await tx.describe_session(described, tags_before=record.tags)


def changed_fields(change: SessionChange, facet: tuple[str, str] | None) -> dict[str, Json]:
    """What the log says of a change."""
    changes = _described(change)
    if not isinstance(change.expires_at, Unset):
        changes["expires_at"] = None if change.expires_at is None else change.expires_at.isoformat()
    if facet is not None:
        dialect, data = facet
        fields: Any = msgspec.json.decode(data)
        changes["facet"] = {dialect: fields}
    if not isinstance(change.alias, Unset):
        changes["alias"] = change.alias
    if change.active_at is not None:
        changes["active_at"] = change.active_at.isoformat()
    if change.stated_status is not None:
        changes["stated_status"] = change.stated_status
    return changes


def _described(change: SessionChange) -> dict[str, Json]:
    changes: dict[str, Json] = {}
    if not isinstance(change.title, Unset):
        changes["title"] = change.title
    if not isinstance(change.metadata, Unset):
        changes["metadata"] = dict(change.metadata)
    if not isinstance(change.tags, Unset):
        changes["tags"] = list(change.tags)
    if not isinstance(change.overlay, Unset):
        overlay: Any = None if change.overlay is None else msgspec.to_builtins(change.overlay)
        changes["overlay"] = overlay
    if not isinstance(change.policy, Unset):
        policy: dict[str, Json] = msgspec.to_builtins(change.policy)
        # These two are no limits that a policy is given; unless it has them they stay as they are.
        changes["policy"] = {
            name: value
            for name, value in policy.items()
            if value is not None or name not in ("expires_at", "extended_to")
        }
    return changes
