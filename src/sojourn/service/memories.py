"""The memory of an agent, for its owners: list, read, search, write, delete.

What clients change is in no log: it is about no session. A turn's changes are in its session's (`TurnWrites`).
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from sojourn.domain.actor import Actor
from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.ids import AgentId, OrgId
from sojourn.domain.memory import (
    Expected,
    Found,
    Memory,
    MemoryEntry,
    MemoryText,
    Writer,
    memory_directory,
    memory_path,
    search,
)
from sojourn.ports import Clock, Reads, Store, Tx
from sojourn.service.results import Result
from sojourn.service.shelves import Shelf

MAX_FOUND: Final = 100
MAX_SEARCHED_CHARACTERS: Final = 200
# Memories read at once: as many texts are a few megabytes at most.
_SEARCHED_AT_ONCE: Final = 30


class Memories:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def list(
        self, org: OrgId, agent: AgentId, below: str, after: str, limit: int
    ) -> Sequence[MemoryEntry]:
        """A page of those below a directory, in the order of their paths, behind the path `after`."""
        below = memory_directory(below, "directory")
        found = await self._store.reads.list_memories(org, agent, below, after, limit)
        if not found:
            await _require_agent(self._store.reads, org, agent)
        return found

    async def find(self, org: OrgId, agent: AgentId, path: str) -> Memory | None:
        return await self._store.reads.get_memory(org, agent, memory_path(path))

    async def get(self, org: OrgId, agent: AgentId, path: str) -> Memory:
        found = await self.find(org, agent, path)
        if found is None:
            await _require_agent(self._store.reads, org, agent)
            raise NotFound("memory", path)
        return found

    async def search(self, org: OrgId, agent: AgentId, words: str, below: str = "") -> Sequence[Found]:
        """The first lines that hold a text, in either case of its letters."""
        if not words.strip() or len(words) > MAX_SEARCHED_CHARACTERS:
            raise InvalidRequest("query", f"must have 1 to {MAX_SEARCHED_CHARACTERS} characters")
        below, after = memory_directory(below, "directory"), ""
        found: list[Found] = []
        while page := await self._store.reads.read_memories(org, agent, below, after, _SEARCHED_AT_ONCE):
            found.extend(search(page, words, MAX_FOUND - len(found)))
            if len(found) == MAX_FOUND:
                break
            after = page[-1][0]
            # On SQLite a read does not suspend: give the others their turn between two pages.
            await asyncio.sleep(0)
        return found

    async def put(
        self,
        org: OrgId,
        agent: AgentId,
        path: str,
        text: str,
        by: Actor,
        expected: Expected | None = None,
    ) -> Result[MemoryEntry]:
        """Make a memory, or replace its text; AlreadyExists or ContentMismatch if not what is `expected` is there."""
        path, content, now = memory_path(path), MemoryText.of(text), self._clock.now()

        async def verb(tx: Tx) -> Result[MemoryEntry]:
            await _require_agent(tx, org, agent)
            shelf = await Shelf.locked(tx, org, agent)
            is_new = await tx.get_memory(org, agent, path) is None
            await shelf.write(path, content, expected, Writer(actor=by), now)
            written = await tx.get_memory(org, agent, path)
            assert written is not None
            return Result(written.entry, created=is_new)

        return await self._store.write(verb)

    async def delete(self, org: OrgId, agent: AgentId, path: str, expected: Expected | None = None) -> None:
        path = memory_path(path)

        async def verb(tx: Tx) -> None:
            await _require_agent(tx, org, agent)
            if not await (await Shelf.locked(tx, org, agent)).delete(path, expected):
                raise NotFound("memory", path)

        await self._store.write(verb)


async def _require_agent(reads: Reads, org: OrgId, agent: AgentId) -> None:
    if await reads.get_agent(org, agent) is None:
        raise NotFound("agent", agent)
