"""Handlers of the memory of agents."""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sojourn.domain import memory as domain
from sojourn.domain.actor import Actor
from sojourn.domain.ids import AgentId
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.native import memory_wire, queries, wire
from sojourn.web.native.route import AnyCall, Call


class MemoryPlace(msgspec.Struct, array_like=True, frozen=True):
    """The last memory of a page."""

    path: Annotated[str, Meta(max_length=domain.MAX_MEMORY_PATH_BYTES)]


CURSORS: Final = Cursors("memories", MemoryPlace)


async def page(call: Call[queries.MemoryList, wire.Nothing]) -> Response:
    query, agent = call.query, _agent(call)
    selection = (str(agent), query.directory)
    after = "" if query.cursor is UNSET else CURSORS.read(query.cursor, call.org, *selection).path
    found = await call.services.memories.list(call.org, agent, query.directory, after, query.limit + 1)
    entries, last = cut(found, query.limit)
    cursor = None if last is None else CURSORS.write(MemoryPlace(last.path), call.org, *selection)
    return json_response(memory_wire.MemoryEntries([entry(one) for one in entries], cursor))


async def get(call: Call[queries.MemoryPath, wire.Nothing]) -> Response:
    return json_response(memory(await call.services.memories.get(call.org, _agent(call), call.query.path)))


async def put(call: Call[queries.MemoryChange, memory_wire.NewMemory]) -> Response:
    result = await call.services.memories.put(
        call.org,
        _agent(call),
        call.query.path,
        call.body.text,
        Actor("human", call.principal.key),
        expected(call.query.if_sha256),
    )
    return json_response(entry(result.value), 201 if result.created else 200)


async def delete(call: Call[queries.MemoryChange, wire.Nothing]) -> Response:
    query = call.query
    await call.services.memories.delete(call.org, _agent(call), query.path, expected(query.if_sha256))
    return NO_CONTENT


def expected(if_sha256: str | UnsetType) -> domain.Expected | None:
    if if_sha256 is UNSET:
        return None
    return domain.NOTHING if if_sha256 == "none" else domain.Expected(if_sha256)


def entry(found: domain.MemoryEntry) -> memory_wire.MemoryEntry:
    return memory_wire.MemoryEntry(
        path=found.path,
        sha256=found.sha256,
        size=found.size,
        created_at=found.created_at,
        updated_at=found.updated_at,
        written_by=memory_wire.MemoryWriter(
            found.by.actor.kind, found.by.actor.key, found.by.session, found.by.turn
        ),
    )


def memory(found: domain.Memory) -> memory_wire.Memory:
    return memory_wire.Memory(**msgspec.structs.asdict(entry(found.entry)), text=found.text)


def _agent(call: AnyCall) -> AgentId:
    return AgentId(call.id("agent"))
