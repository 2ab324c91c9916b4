"""What may happen to an agent's memory. Clients and turns change it by these rules, under the lock of that memory.

A turn takes the lock last, with its session's lock in hand. Under it only the agent's row is waited for, to which a new
memory refers, and whoever locks that row locks nothing else; so no two wait for each other.
"""

from dataclasses import dataclass
from datetime import datetime

from sojourn.domain.errors import AlreadyExists, Conflict, ContentMismatch, WrongState
from sojourn.domain.ids import AgentId, OrgId
from sojourn.domain.memory import (
    MAX_MEMORIES,
    MAX_MEMORIES_BYTES,
    Expected,
    Memory,
    MemoryEntry,
    MemoryText,
    Writer,
)
from sojourn.domain.memory_events import MemoryDeleted, MemoryWritten
from sojourn.ports import Tx


@dataclass(frozen=True, slots=True)
class Shelf:
    """The memory of one agent, within a transaction that holds its lock."""

    tx: Tx
    org: OrgId
    agent: AgentId

    @classmethod
    async def locked(cls, tx: Tx, org: OrgId, agent: AgentId) -> "Shelf":
        await tx.lock_memories(org, agent)
        return cls(tx, org, agent)

    async def write(
        self, path: str, text: MemoryText, expected: Expected | None, by: Writer, now: datetime
    ) -> tuple[MemoryWritten, ...]:
        """Nothing for a memory that is so already.

        That is looked at before what is `expected`: a write whose answer was lost finds its own text when it is
        repeated, and two writers who want the same both have it.
        """
        found = await self.tx.get_memory(self.org, self.agent, path)
        if found is not None and found.entry.sha256 == text.sha256:
            return ()
        _require(path, found, expected)
        if found is None:
            await self._require_place(path)
        await self._require_room(found, text)
        entry = MemoryEntry(
            path=path,
            sha256=text.sha256,
            size=text.size,
            created_at=now if found is None else found.entry.created_at,
            updated_at=now,
            by=by,
        )
        await self.tx.write_memory(self.org, self.agent, Memory(entry=entry, text=text.text))
        return (MemoryWritten(path=path, sha256=text.sha256, size=text.size),)

    async def delete(self, path: str, expected: Expected | None) -> tuple[MemoryDeleted, ...]:
        """Nothing where nothing is."""
        found = await self.tx.get_memory(self.org, self.agent, path)
        if found is None:
            return ()
        _require(path, found, expected)
        await self.tx.delete_memory(self.org, self.agent, path)
        return (MemoryDeleted(path=path, sha256=found.entry.sha256),)

    async def _require_place(self, path: str) -> None:
        if await self.tx.memory_above(self.org, self.agent, path) is not None:
            raise WrongState("path", "a memory", "hold others")
        if await self.tx.list_memories(self.org, self.agent, path, "", 1):
            raise WrongState("path", "a directory", "be written")

    async def _require_room(self, found: Memory | None, text: MemoryText) -> None:
        """No LimitExceeded: that says that a repetition helps after a while, and here only a deletion does."""
        count, size = await self.tx.weigh_memories(self.org, self.agent)
        if found is None and count >= MAX_MEMORIES:
            raise Conflict(f"An agent remembers at most {MAX_MEMORIES} texts: delete one first.")
        grown = text.size - (0 if found is None else found.entry.size)
        # What makes a memory smaller is never refused.
        if grown > 0 and size + grown > MAX_MEMORIES_BYTES:
            raise Conflict(f"An agent remembers at most {MAX_MEMORIES_BYTES} bytes: delete some first.")


def _require(path: str, found: Memory | None, expected: Expected | None) -> None:
    """The lock makes this sound: between this look at the digest and the write nobody else writes the path."""
    actual = None if found is None else found.entry.sha256
    if expected is None or expected.sha256 == actual:
        return
    if expected.sha256 is None:
        raise AlreadyExists("memory", path)
    raise ContentMismatch("memory", path)
