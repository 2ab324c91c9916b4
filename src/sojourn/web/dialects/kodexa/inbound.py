"""Kodexa's format in our values. Pure."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.filter import SessionQuery
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.web.dialects.kodexa import facet, fields, status, wire
from sojourn.web.kit.values import check_free_form

UUID_LENGTH: Final = 36


def new_session(new: wire.NewSession, max_bytes: int) -> NewSession:
    expires_at, own = _expiry(new), _facet(new)
    return NewSession(
        id=_id(new.id),
        metadata=_metadata(new, max_bytes),
        policy=NO_POLICY if expires_at is None else Policy(expires_at=expires_at),
        origin=facet.DIALECT,
        facet=None if own == facet.NOTHING else (facet.DIALECT, facet.to_text(own)),
        alias=new.runtime_session_id,
        stated_status=new.status or status.ACTIVE,
    )


def change(changed: wire.ChangedSession, max_bytes: int) -> SessionChange:
    """A PUT replaces all that a client can say, but for a status that it leaves out."""
    return SessionChange(
        metadata=_metadata(changed, max_bytes),
        expires_at=_expiry(changed),
        facet=(facet.DIALECT, facet.to_text(_facet(changed))),
        alias=changed.runtime_session_id,
        active_at=_instant("lastInvokedAt", changed.last_invoked_at),
        stated_status=changed.status or None,
        end=status.ENDING.get(changed.status or ""),
    )


def page(query: wire.ListQuery, org: OrgId) -> SessionQuery:
    """The oldest come first where nothing else is asked for: what is created meanwhile then moves no page."""
    return SessionQuery(
        where=fields.where(query.filter, query.query, org),
        sort=fields.sort(query.sort),
        order="asc",
        offset=(query.page - 1) * query.page_size,
        limit=query.page_size,
        facet=facet.DIALECT,
    )


def session_id(text: str) -> SessionId:
    """NotFound for what is no dashed UUID, as it is then the id of nothing."""
    found = _id(text)
    if found is None:
        raise NotFound("session", text[:100])
    return found


def _id(value: Any) -> SessionId | None:
    if not isinstance(value, str) or len(value) != UUID_LENGTH:
        return None
    try:
        return SessionId(msgspec.convert(value, UUID))
    except msgspec.ValidationError:
        return None


def _metadata(said: wire.Said, max_bytes: int) -> dict[str, Any]:
    metadata = said.metadata or {}
    # As many keys as a body can hold, but no deeper than the databases read.
    check_free_form("metadata", metadata, max_bytes, max_bytes)
    return metadata


def _facet(said: wire.Said) -> facet.Facet:
    return facet.Facet(
        agent_runtime_id=said.agent_runtime_id,
        expires_at=facet.micros(_expiry(said)),
        last_invoked_at=facet.micros(_instant("lastInvokedAt", said.last_invoked_at)),
    )


def _expiry(said: wire.Said) -> datetime | None:
    return _instant("expiresAt", said.expires_at)


def _instant(field: str, instant: datetime | None) -> datetime | None:
    try:
        return None if instant is None else instant.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(field, "is outside of the calendar") from None
