"""Our values in Membrane's format. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Session, SessionStatus
from sojourn.service.transcripts import Glimpse
from sojourn.web.dialects.membrane import facet, status, wire
from sojourn.web.dialects.membrane.facet import Facet
from sojourn.web.dialects.membrane.inbound import DEFAULT_ELEMENT
from sojourn.web.kit.instants import milliseconds

_SUMMARY_LENGTH: Final = 1_000
_NO_GLIMPSE: Final = Glimpse()

Glimpses = Mapping[SessionId, Glimpse]


def wants_glimpse(record: SessionRecord) -> bool:
    """Whether a look at what was said adds to what the record says: most sessions are shown without one."""
    row = record.session
    if not row.turns and not row.queued_inputs:
        return False
    own = facet.of_text(record.facet)
    if not row.turns and not row.queued_inputs:
        return False
    is_over = row.status is not SessionStatus.OPEN or status.shown(row, own).state == "idle"
    return own.prompt is None or (is_over and row.turns > 0 and own.summary is None)


def session(
    record: SessionRecord,
    workspace: str,
    glimpse: Glimpse | None = None,
    stays: wire.Status | None = None,
) -> wire.AgentSession:
    """`workspace` stands for the element of a session that was made elsewhere.

    `stays` is the status that a message leaves as it was while its turn is queued.
    """
    row, own = record.session, facet.of_text(record.facet)
    seen = glimpse or _NO_GLIMPSE
    shown = status.shown(row, own)
    if stays is not None and shown == status.Shown("queued", "busy"):
        shown = status.Shown(stays, "busy")
    # Writing an instant is the dearest part of a session, and often two are the same.
    active = milliseconds(row.active_at)
    updated = active if row.updated_at == row.active_at else milliseconds(row.updated_at)
    created = active if row.created_at == row.active_at else milliseconds(row.created_at)
    return wire.AgentSession(
        id=row.id.hex,
        workspace_id=row.org.hex,
        workspace_element_type=own.workspace_element_type or DEFAULT_ELEMENT,
        workspace_element_id=own.workspace_element_id or own.tenant_id or own.workspace_key or workspace,
        status=shown.status,
        state=shown.state,
        prompt=own.prompt or seen.prompt or record.title or "",
        last_activity_at=active,
        has_worker=shown.status in ("starting", "running"),
        created_at=created,
        updated_at=updated,
        tenant_id=own.tenant_id or UNSET,
        error=_error(row, shown, own, seen),
        title=record.title if record.title is not None else UNSET,
        summary=_summary(shown, own, seen),
        cost=UNSET if record.usage.cost_usd is None else float(record.usage.cost_usd),
        is_external=own.is_external if own.is_external is not None else UNSET,
        agent_name=own.agent_name or UNSET,
        agent_harness_id=own.agent_harness_id or UNSET,
        model_id=own.model_id or UNSET,
        output=own.output if own.output is not None else UNSET,
        expires_at=UNSET if record.expires_at is None else milliseconds(record.expires_at),
    )


def _summary(shown: status.Shown, own: Facet, seen: Glimpse) -> str | UnsetType:
    """What was done, shown when nothing is being done: the worker's word for it, or the agent's last answer."""
    if own.summary is not None:
        return own.summary
    return seen.answer[:_SUMMARY_LENGTH] if shown.state == "idle" and seen.answer else UNSET


def _error(row: Session, shown: status.Shown, own: Facet, seen: Glimpse) -> wire.ErrorData | UnsetType:
    """Why it failed. A turn that failed leaves its session open and running, and is told of while that is idle."""
    is_open = row.status is SessionStatus.OPEN
    if not is_open and shown.status != "failed":
        return UNSET
    if own.error is not None and own.error_turns == row.turns:
        return msgspec.convert(own.error, wire.ErrorData)
    if is_open:
        message = seen.error if shown.state == "idle" else None
    elif row.status is SessionStatus.EXPIRED:
        message = "The session expired before its work was done."
    else:
        message = row.end_reason or seen.error or "The session failed."
    return wire.ErrorData(type="internal", message=message) if message else UNSET


def page(
    records: Sequence[SessionRecord], workspace: str, glimpses: Glimpses, cursor: str | None
) -> wire.Sessions:
    items = [session(record, workspace, glimpses.get(record.session.id)) for record in records]
    return wire.Sessions(items, UNSET if cursor is None else cursor)
