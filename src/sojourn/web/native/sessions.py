"""Handlers of sessions and of the presences on them."""

from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.filter import AnyOf, Compare, Filter, Position, SessionQuery
from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity
from sojourn.service.results import Result
from sojourn.web.kit.conditions import etag
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.native import inbound, outbound, queries, session_wire, wire
from sojourn.web.native.route import Call


class SessionPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last session of a page."""

    created_at: wire.Instant
    id: UUID


CURSORS: Final = Cursors("sessions", SessionPlace)


async def create(call: Call[queries.NoQuery, session_wire.NewSession]) -> Response:
    new = inbound.new_session(call.body)
    result = await call.services.sessions.create(call.org, new, call.by, call.repeat)
    body = outbound.created_session(result.value, result.created)
    status = 201 if result.created else 200
    return json_response(body, status, etag(body.revision), *replayed(result))


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    record = await call.services.sessions.get(call.org, call.session)
    row = record.session
    pool = None
    if row.activity is Activity.QUEUED and row.runner == "external":
        pool = (await call.services.agents.pinned(call.org, row.agent, row.agent_version)).spec.pool
    return json_response(outbound.session(record, pool), 200, etag(row.revision))


async def page(call: Call[queries.SessionList, wire.Nothing]) -> Response:
    query = call.query
    where = inbound.session_filter(query, await _of_agent(call))
    after = None
    if query.cursor is not UNSET:
        place = CURSORS.read(query.cursor, call.org, query.order, where)
        after = Position(place.created_at, SessionId(place.id))
    wanted = SessionQuery(where=where, after=after, order=query.order, limit=query.limit + 1)
    records, last = cut(await call.services.sessions.list(call.org, wanted), query.limit)
    cursor = None
    if last is not None:
        place = SessionPlace(last.session.created_at, last.session.id)
        cursor = CURSORS.write(place, call.org, query.order, where)
    return json_response(session_wire.Sessions([outbound.session(record) for record in records], cursor))


async def tree(call: Call[queries.TreeQuery, wire.Nothing]) -> Response:
    found = await call.services.trees.get(call.org, call.session, call.query.limit)
    return json_response(outbound.session_tree(found))


async def _of_agent(call: Call[queries.SessionList, wire.Nothing]) -> tuple[Filter, ...]:
    """The condition that `agent` stands for. No session has an agent that is not there."""
    if call.query.agent is UNSET:
        return ()
    try:
        agent = await call.services.agents.resolve(call.org, inbound.agent_reference(call.query.agent))
    except InvalidRequest:
        return (AnyOf(()),)
    return (Compare("agent", "eq", agent.id),)


async def update(call: Call[queries.NoQuery, session_wire.SessionChange]) -> Response:
    change = inbound.session_change(call.body)
    return answer(
        await call.services.sessions.update(call.org, call.session, change, call.by, call.expected_revision)
    )


async def delete(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    await call.services.sessions.delete(call.org, call.session, call.by)
    return NO_CONTENT


async def end(call: Call[queries.NoQuery, session_wire.SessionEnd]) -> Response:
    wanted = call.body
    result = await call.services.sessions.end(
        call.org, call.session, wanted.status, wanted.reason, call.by, call.repeat
    )
    return changed(result)


async def reopen(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return changed(await call.services.lifetimes.reopen(call.org, call.session, call.by, call.repeat))


async def extend(call: Call[queries.NoQuery, session_wire.SessionExtension]) -> Response:
    until = inbound.extension(call.body)
    return changed(await call.services.lifetimes.extend(call.org, call.session, until, call.by, call.repeat))


async def fork(call: Call[queries.NoQuery, session_wire.NewFork]) -> Response:
    new = inbound.new_fork(call.body)
    result = await call.services.forks.fork(call.org, call.session, new, call.by, call.repeat)
    body = outbound.created_session(result.value, result.created)
    status = 201 if result.created else 200
    return json_response(body, status, etag(body.revision), *replayed(result))


async def rewind(call: Call[queries.NoQuery, session_wire.Rewind]) -> Response:
    wanted = call.body
    expected_seq = None if wanted.expected_seq is UNSET else wanted.expected_seq
    result = await call.services.rewinds.rewind(
        call.org, call.session, wanted.to_seq, call.by, expected_seq, call.repeat
    )
    return changed(result)


async def archive(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return changed(await call.services.sessions.archive(call.org, call.session, True, call.by, call.repeat))


async def unarchive(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return changed(await call.services.sessions.archive(call.org, call.session, False, call.by, call.repeat))


async def hold_presence(call: Call[queries.NoQuery, session_wire.NewPresence]) -> Response:
    wanted = call.body
    lease, acquired = await call.services.presences.hold(
        call.org, call.session, wanted.holder, wanted.ttl_seconds, call.principal.limits
    )
    return json_response(outbound.presence(lease, acquired))


async def presences(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    leases = await call.services.presences.list(call.org, call.session)
    now = call.services.clock.now()
    return json_response(session_wire.Presences([outbound.held_presence(lease, now) for lease in leases]))


async def release_presence(call: Call[queries.PresenceQuery, wire.Nothing]) -> Response:
    holder, limits = call.query.holder, call.principal.limits
    await call.services.presences.release(call.org, call.session, holder, call.by, limits)
    return NO_CONTENT


def answer(record: SessionRecord) -> Response:
    return json_response(outbound.session(record), 200, etag(record.session.revision))


def changed(result: Result[SessionRecord]) -> Response:
    record = result.value
    return json_response(outbound.session(record), 200, etag(record.session.revision), *replayed(result))
