"""What the store keeps of the memories of agents."""

from collections.abc import Sequence
from typing import Protocol

from sojourn.domain.ids import AgentId, OrgId
from sojourn.domain.memory import Memory, MemoryEntry


class MemoryReads(Protocol):
    """Pages are below a directory (the empty one is all), in the order of the paths by code points, behind `after`."""

    async def get_memory(self, org: OrgId, agent: AgentId, path: str) -> Memory | None: ...
    async def list_memories(
        self, org: OrgId, agent: AgentId, below: str, after: str, limit: int
    ) -> Sequence[MemoryEntry]: ...
    async def read_memories(
        self, org: OrgId, agent: AgentId, below: str, after: str, limit: int
    ) -> Sequence[tuple[str, str]]:
        """The paths and texts."""
        ...

    async def weigh_memories(self, org: OrgId, agent: AgentId) -> tuple[int, int]:
        """How many there are, and their bytes together."""
        ...

    async def memory_above(self, org: OrgId, agent: AgentId, path: str) -> str | None:
        """The path of a memory at one of the directories that a path lies in."""
        ...


class MemoryWrites(Protocol):
    async def lock_memories(self, org: OrgId, agent: AgentId) -> None:
        """Wait for every other transaction that has locked them; what is read after this is what it left."""
        ...

    async def write_memory(self, org: OrgId, agent: AgentId, memory: Memory) -> None:
        """Make it, or change the one that is there, which keeps its `created_at`."""
        ...

    async def delete_memory(self, org: OrgId, agent: AgentId, path: str) -> None: ...
