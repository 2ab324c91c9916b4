"""The routes of the memory of agents. A path is in the query: it may hold slashes and whatever else a name may."""

from typing import Final

from sojourn.domain.errors import (
    AlreadyExists,
    Conflict,
    ContentMismatch,
    InvalidRequest,
    NotFound,
    WrongState,
)
from sojourn.web.native import memories, memory_wire, queries, wire
from sojourn.web.native.route import AnyRoute, Media, Route

MEMORIES: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/agents/{agent}/memories",
        operation="list_memories",
        summary="List what an agent remembers, in the order of the paths",
        scope="agents:read",
        handler=memories.page,
        query=queries.MemoryList,
        body=wire.Nothing,
        answers={200: memory_wire.MemoryEntries},
        errors=(NotFound, InvalidRequest),
    ),
    Route(
        method="GET",
        path="/agents/{agent}/memories/entry",
        operation="get_memory",
        summary="Read a memory",
        scope="agents:read",
        handler=memories.get,
        query=queries.MemoryPath,
        body=wire.Nothing,
        answers={200: memory_wire.Memory},
        errors=(NotFound, InvalidRequest),
    ),
    Route(
        method="PUT",
        path="/agents/{agent}/memories/entry",
        operation="put_memory",
        summary="Make a memory, or replace its text",
        scope="agents:write",
        handler=memories.put,
        query=queries.MemoryChange,
        body=memory_wire.NewMemory,
        answers={201: memory_wire.MemoryEntry, 200: memory_wire.MemoryEntry},
        errors=(NotFound, InvalidRequest, AlreadyExists, ContentMismatch, WrongState, Conflict),
    ),
    Route(
        method="DELETE",
        path="/agents/{agent}/memories/entry",
        operation="delete_memory",
        summary="Forget a memory",
        scope="agents:write",
        handler=memories.delete,
        query=queries.MemoryChange,
        body=wire.Nothing,
        answers={204: Media.NONE},
        errors=(NotFound, InvalidRequest, AlreadyExists, ContentMismatch),
    ),
)
