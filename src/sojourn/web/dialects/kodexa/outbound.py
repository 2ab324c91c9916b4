"""Our values in Kodexa's format. Pure."""

from collections.abc import Sequence

from sojourn import __version__
from sojourn.domain.filter import SessionQuery
from sojourn.domain.record import Principal, SessionRecord
from sojourn.web.dialects.kodexa import facet, status, wire
from sojourn.web.kit.instants import milliseconds


def session(record: SessionRecord) -> wire.OrchestratorAgentSession:
    row = record.session
    own = facet.of_text(record.facet)
    id = str(row.id)
    return wire.OrchestratorAgentSession(
        id=id,
        uuid=id,
        change_sequence=row.revision,
        created_on=milliseconds(row.created_at),
        updated_on=milliseconds(row.updated_at),
        agent_runtime_id=own.agent_runtime_id,
        runtime_session_id=record.alias,
        organization_id=str(row.org),
        status=status.shown(record),
        metadata=dict(record.metadata),
        # Deadlines of policy are not shown: the client sends back all that it reads, which would make them its own.
        expires_at=_given(own.expires_at),
        last_invoked_at=milliseconds(row.active_at) if row.turns else _given(own.last_invoked_at),
    )


def page(records: Sequence[SessionRecord], query: SessionQuery, total: int) -> wire.Page:
    size, number = query.limit, query.offset // query.limit
    pages = -(-total // size)
    order = wire.Sort(empty=not query.sort, sorted=bool(query.sort), unsorted=not query.sort)
    return wire.Page(
        content=[session(record) for record in records],
        number=number,
        size=size,
        number_of_elements=len(records),
        total_elements=total,
        total_pages=pages,
        first=number == 0,
        last=number + 1 >= pages,
        empty=not records,
        sort=order,
        pageable=wire.Pageable(query.offset, number, size, paged=True, unpaged=False, sort=order),
    )


def user(principal: Principal) -> wire.User:
    key = str(principal.key)
    return wire.User(
        id=key,
        uuid=key,
        change_sequence=0,
        first_name=principal.role,
        activated=True,
        platform_admin=principal.role == "admin",
        organization_id=str(principal.org),
    )


def overview() -> wire.Overview:
    return wire.Overview(
        name="Sojourn",
        version=__version__,
        release=__version__,
        environment="self-hosted",
        description="A self-hosted server for agent sessions",
    )


def _given(micros: int | None) -> str | None:
    return None if micros is None else milliseconds(facet.instant(micros))
