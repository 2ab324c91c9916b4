"""Our values in Everruns' format. Pure."""

from datetime import datetime

from msgspec import UNSET

from sojourn.domain.record import SessionRecord
from sojourn.web.dialects.everruns import ids, status, wire
from sojourn.web.dialects.everruns.harnesses import harness_of


def session(record: SessionRecord) -> wire.Session:
    row = record.session
    return wire.Session(
        id=ids.text("session", row.id),
        organization_id=ids.text("org", row.org),
        # A session's default workspace has the session's own digits.
        workspace_id=ids.text("wsp", row.id),
        harness_id=ids.text("harness", harness_of(row.runner)),
        agent_id=ids.text("agent", row.agent),
        owner_principal_id=ids.text("principal", row.org),
        status=status.shown(row),
        tags=list(record.tags),
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        title=record.title or UNSET,
        finished_at=UNSET if row.ended_at is None else stamp(row.ended_at),
    )


def stamp(instant: datetime) -> str:
    """Microseconds and a Z: what a client reads of an instant, it can compare with and send back."""
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
