"""What agents remember from one session to the next."""

from collections.abc import AsyncGenerator
from uuid import UUID

from sojourn.client.calls import Calls
from sojourn.client.memory_types import Memory, MemoryEntry
from sojourn.client.request import Request, optional
from sojourn.client.types import Page


class MemoryCalls(Calls):
    """A change with `if_sha256` raises ContentMismatch where another text is there; `none` says that nothing is."""

    def list_memories(
        self, agent: UUID, directory: str = "", *, page_size: int = 1000
    ) -> AsyncGenerator[MemoryEntry, None]:
        """Those below a directory, in the order of the paths."""
        params = [("directory", directory), ("limit", str(page_size))]
        return self._all(f"/agents/{agent}/memories", params, Page[MemoryEntry])

    async def get_memory(self, agent: UUID, path: str) -> Memory:
        request = Request("GET", f"/agents/{agent}/memories/entry", [("path", path)])
        return await self._transport.fetch(request, Memory)

    async def put_memory(
        self, agent: UUID, path: str, text: str, *, if_sha256: str | None = None
    ) -> MemoryEntry:
        """Make a memory, or replace its text."""
        params = [("path", path), *optional("if_sha256", if_sha256)]
        # A repeat finds its own text there, whatever it was to replace.
        request = Request("PUT", f"/agents/{agent}/memories/entry", params, {"text": text})
        return await self._transport.fetch(request, MemoryEntry)

    async def delete_memory(self, agent: UUID, path: str, *, if_sha256: str | None = None) -> None:
        params = [("path", path), *optional("if_sha256", if_sha256)]
        await self._transport.perform(
            Request("DELETE", f"/agents/{agent}/memories/entry", params, repeatable=False)
        )
