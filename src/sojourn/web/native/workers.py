"""Handlers of the worker's protocol."""

from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.ids import MessageId, SessionId
from sojourn.ports.turns import Claim
from sojourn.service.outside.signals import Signal
from sojourn.web.kit.idempotency import REPLAYED
from sojourn.web.kit.patience import unless_gone
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.kit.sse import EventStream, open_stream
from sojourn.web.native import (
    memories,
    memory_wire,
    queries,
    wire,
    worker_inbound,
    worker_outbound,
    worker_wire,
)
from sojourn.web.native.events import failed
from sojourn.web.native.files import BYTES, INERT
from sojourn.web.native.route import AnyCall, Call, RawBody


async def claim(call: Call[queries.NoQuery, worker_wire.NewClaim]) -> Response:
    body, service = call.body, call.services.outside_claims
    caller = worker_inbound.caller(call.principal, body.worker, body.runners, body.pool, body.agents)
    session = None if body.session is None else SessionId(body.session)
    waiting = service.claim(caller, session, body.wait_seconds, call.repeat)
    # A client that goes while it waits must not be given a turn that nobody would run before its lease is over.
    result = await (unless_gone(call.request, waiting) if body.wait_seconds else waiting)
    if result is None:
        return json_response(worker_wire.Claimed(None))
    input = await call.services.outside_turns.input_of(result.value)
    claimed = worker_outbound.claimed(result.value, input, service.terms.ttl_seconds or 0)
    return json_response(worker_wire.Claimed(claimed), 200, *_replayed(result.replayed))


async def ready(call: Call[queries.WorkerQuery, wire.Nothing]) -> Response:
    query = call.query
    caller = worker_inbound.caller(call.principal, query.worker, query.runner, query.pool)
    caller.check()
    found = await call.services.outside_claims.ready(caller, query.limit)
    return json_response(worker_wire.ReadyTurns([worker_wire.ReadyTurn(one.session) for one in found]))


async def signals(call: Call[queries.WorkerQuery, wire.Nothing]) -> EventStream[Signal]:
    query = call.query
    caller = worker_inbound.caller(call.principal, query.worker, query.runner, query.pool)
    source = call.services.outside_signals.signals(caller)
    return await open_stream(call.server.heart, source, worker_outbound.signal, failed)


async def renew(call: Call[queries.NoQuery, worker_wire.Renewal]) -> Response:
    body = call.body
    caller = worker_inbound.caller(call.principal, body.worker, (), worker_wire.DEFAULT_POOL)
    claims = [worker_inbound.claim_of(call.principal, name) for name in body.claims]
    lost = await call.services.outside_turns.renew(claims, caller)
    return json_response(worker_wire.Renewed([worker_inbound.claim_name(one) for one in lost]))


async def append(call: Call[queries.NoQuery, worker_wire.Report]) -> Response:
    body, turns, claim = call.body, call.services.outside_turns, _claim(call)
    events = worker_inbound.said("events", body.events)
    intents = worker_inbound.said("intents", body.intents)
    is_replayed = await turns.append(claim, events, intents, body.steers_before, call.repeat)
    entries = None
    if body.entries_after is not None:
        found = await turns.entries_after(claim, body.entries_after, queries.MOST_ENTRIES, 0)
        entries = worker_outbound.entries(found)
    return json_response(worker_wire.Reported(entries), 200, *_replayed(is_replayed))


async def settle(call: Call[queries.NoQuery, worker_wire.Settlement]) -> Response:
    body, turns = call.body, call.services.outside_turns
    reason = body.reason or ("end_turn" if body.error is None else "error")
    if body.error is None and reason not in ("end_turn", "refused"):
        raise InvalidRequest("error", f"must say what happened, as the reason is {reason}")
    if body.error is not None and reason == "end_turn":
        raise InvalidRequest("reason", "must not be end_turn for a turn that failed")
    events = worker_inbound.said("events", body.events)
    return _done(await turns.settle(_claim(call), events, reason, body.error, call.repeat))


async def retry(call: Call[queries.NoQuery, worker_wire.Retry]) -> Response:
    body, turns = call.body, call.services.outside_turns
    events = worker_inbound.said("events", body.events)
    return _done(await turns.retry(_claim(call), events, body.error, body.delay_seconds, call.repeat))


async def wait(call: Call[queries.NoQuery, worker_wire.Waiting]) -> Response:
    body, turns = call.body, call.services.outside_turns
    events, asks = worker_inbound.said("events", body.events), worker_inbound.asks(body.asks)
    return _done(await turns.wait(_claim(call), events, asks, body.mode, call.repeat))


async def give_back(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return _done(await call.services.outside_turns.give_back(_claim(call), call.repeat))


async def entries(call: Call[queries.Entries, wire.Nothing]) -> Response:
    query, turns = call.query, call.services.outside_turns
    reading = turns.entries_after(_claim(call), query.after, query.limit, query.wait_seconds)
    found = await (unless_gone(call.request, reading) if query.wait_seconds else reading)
    return json_response(worker_wire.Entries(worker_outbound.entries(found)))


async def conversation(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    found = await call.services.outside_turns.conversation(_claim(call))
    return json_response(worker_outbound.conversation(found))


async def list_files(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    found = await call.services.outside_turns.list_files(_claim(call))
    return json_response(worker_wire.FileSizes([worker_wire.FileSize(path, size) for path, size in found]))


async def read_file(call: Call[queries.FilePath, wire.Nothing]) -> Response:
    path = call.query.path
    data = await call.services.outside_turns.read_file(_claim(call), path)
    if data is None:
        raise NotFound("file", path)
    return Response(200, data, BYTES, INERT)


async def write_file(call: Call[queries.FilePath, RawBody]) -> Response:
    await call.services.outside_turns.write_file(_claim(call), call.query.path, call.body.data)
    return NO_CONTENT


async def delete_file(call: Call[queries.FilePath, wire.Nothing]) -> Response:
    path = call.query.path
    if not await call.services.outside_turns.delete_file(_claim(call), path):
        raise NotFound("file", path)
    return NO_CONTENT


async def list_memories(call: Call[queries.TurnMemoryList, wire.Nothing]) -> Response:
    found = await call.services.outside_turns.list_memories(_claim(call), call.query.directory)
    return json_response(memory_wire.MemoryEntries([memories.entry(one) for one in found], None))


async def read_memory(call: Call[queries.MemoryPath, wire.Nothing]) -> Response:
    path = call.query.path
    found = await call.services.outside_turns.read_memory(_claim(call), path)
    if found is None:
        raise NotFound("memory", path)
    return json_response(memories.memory(found))


async def search_memories(call: Call[queries.MemorySearch, wire.Nothing]) -> Response:
    found = await call.services.outside_turns.search_memories(_claim(call), call.query.query)
    lines = [worker_wire.MemoryLine(one.path, one.line, one.text) for one in found]
    return json_response(worker_wire.MemoryLines(lines))


async def write_memory(call: Call[queries.MemoryChange, memory_wire.NewMemory]) -> Response:
    expected = memories.expected(call.query.if_sha256)
    turns = call.services.outside_turns
    await turns.write_memory(_claim(call), call.query.path, call.body.text, expected)
    return NO_CONTENT


async def delete_memory(call: Call[queries.MemoryPath, wire.Nothing]) -> Response:
    path = call.query.path
    if not await call.services.outside_turns.delete_memory(_claim(call), path):
        raise NotFound("memory", path)
    return NO_CONTENT


async def preview(call: Call[queries.NoQuery, worker_wire.NewPreview]) -> Response:
    body = call.body
    turns = call.services.outside_turns
    await turns.preview(_claim(call), MessageId(body.message), body.offset, body.text)
    return NO_CONTENT


async def model(call: Call[queries.NamedModel, wire.Nothing]) -> Response:
    found = await call.services.lending.model(call.principal, call.query.name)
    return json_response(worker_outbound.meant(found))


async def secret(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    value = await call.services.lending.secret(call.principal, call.request.params["secret"])
    return json_response(worker_wire.LentSecret(value), 200, (b"cache-control", b"no-store"))


def _claim(call: AnyCall) -> Claim:
    return worker_inbound.claim_of(call.principal, call.request.params["claim"])


def _done(is_replayed: bool) -> Response:
    return Response(204, media_type=None, headers=_replayed(is_replayed))


def _replayed(is_replayed: bool) -> tuple[tuple[bytes, bytes], ...]:
    return (REPLAYED,) if is_replayed else ()
