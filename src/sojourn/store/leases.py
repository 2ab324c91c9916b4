"""Leases between rows and records, and the text of a roster: who is driven from outside."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sojourn.domain.ids import AgentId, OrgId, SessionId
from sojourn.domain.record import DrivenSession, Lease
from sojourn.store.rows import Row, to_instant, to_micros
from sojourn.store.where import Dialect, NumberedBinder

_DRIVEN: Final = """
SELECT s.id, s.agent, s.agent_version, s.origin, s.created_at, l.seen, f.data
FROM (SELECT session, max(last_seen_at) AS seen FROM leases WHERE {which} AND kind = 'presence' GROUP BY session) l
    JOIN sessions s ON s.org = {org} AND s.id = l.session AND s.status = 'open'
    LEFT JOIN facets f ON f.org = s.org AND f.session = s.id AND f.dialect = s.origin
ORDER BY s.created_at DESC, s.id DESC"""


def lease_of(row: Row) -> Lease:
    org, session, kind, holder, ttl_seconds, last_seen_at, boot = row
    return Lease(
        org=OrgId(UUID(bytes=org)),
        session=SessionId(UUID(bytes=session)),
        kind=kind,
        holder=holder,
        ttl_seconds=ttl_seconds,
        last_seen_at=to_instant(last_seen_at),
        boot=boot,
    )


def lease_params(lease: Lease) -> dict[str, object]:
    return {
        "org": lease.org,
        "session": lease.session,
        "kind": lease.kind,
        "holder": lease.holder,
        "ttl_seconds": lease.ttl_seconds,
        "now": to_micros(lease.last_seen_at),
        "boot": lease.boot,
    }


def compile_driven(
    org: OrgId, among: Sequence[SessionId] | None, dialect: Dialect
) -> tuple[str, list[object]]:
    """The text of a roster, whole or of some sessions, and its values."""
    bind = NumberedBinder(dialect)
    of = bind(org)
    which = f"org = {of}"
    if among is not None:
        which += (
            f" AND session IN ({', '.join(bind(session) for session in among)})" if among else " AND FALSE"
        )
    return _DRIVEN.format(which=which, org=of), bind.values


def driven_of(row: Row) -> DrivenSession:
    id, agent, agent_version, origin, created_at, last_seen_at, facet = row
    return DrivenSession(
        SessionId(UUID(bytes=id)),
        AgentId(UUID(bytes=agent)),
        agent_version,
        origin,
        to_instant(created_at),
        to_instant(last_seen_at),
        facet,
    )
