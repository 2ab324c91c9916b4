"""Memories of agents: rows to values and back."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.ids import AgentId, KeyId, OrgId, SessionId, TurnId
from sojourn.domain.memory import MAX_MEMORY_PATH_BYTES, Memory, MemoryEntry, Writer
from sojourn.store.db import Db
from sojourn.store.rows import Params, Row, to_instant, to_micros

# Longer than a path may be, and of the last of all characters: every path comes before it.
_BEYOND: Final = "\U0010ffff" * MAX_MEMORY_PATH_BYTES


class MemoryReads:
    _db: Db

    async def get_memory(self, org: OrgId, agent: AgentId, path: str) -> Memory | None:
        row = await self._db.one("get_memory", {"org": org, "agent": agent, "path": path})
        return None if row is None else Memory(entry=_entry_of(row[:-1]), text=row[-1])

    async def list_memories(
        self, org: OrgId, agent: AgentId, below: str, after: str, limit: int
    ) -> Sequence[MemoryEntry]:
        found = await self._db.all("list_memories", _page(org, agent, below, after, limit))
        return [_entry_of(row) for row in found]

    async def read_memories(
        self, org: OrgId, agent: AgentId, below: str, after: str, limit: int
    ) -> Sequence[tuple[str, str]]:
        found = await self._db.all("read_memories", _page(org, agent, below, after, limit))
        return [(path, text) for path, text in found]

    async def weigh_memories(self, org: OrgId, agent: AgentId) -> tuple[int, int]:
        row = await self._db.one("weigh_memories", {"org": org, "agent": agent})
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    async def memory_above(self, org: OrgId, agent: AgentId, path: str) -> str | None:
        row = await self._db.one("memory_above", {"org": org, "agent": agent, "path": path})
        return None if row is None else str(row[0])


class MemoryWrites:
    _db: Db

    async def write_memory(self, org: OrgId, agent: AgentId, memory: Memory) -> None:
        entry, by = memory.entry, memory.entry.by
        params = {
            "org": org,
            "agent": agent,
            "path": entry.path,
            "sha256": bytes.fromhex(entry.sha256),
            "size": entry.size,
            "created_at": to_micros(entry.created_at),
            "updated_at": to_micros(entry.updated_at),
            "actor": by.actor.kind,
            "key": by.actor.key,
            "session": by.session,
            "turn": by.turn,
            "text": memory.text,
        }
        await self._db.run("write_memory", params)

    async def delete_memory(self, org: OrgId, agent: AgentId, path: str) -> None:
        await self._db.run("delete_memory", {"org": org, "agent": agent, "path": path})


def _page(org: OrgId, agent: AgentId, below: str, after: str, limit: int) -> Params:
    return {
        "org": org,
        "agent": agent,
        "after": max(after, f"{below}/") if below else after,
        "end": f"{below}0" if below else _BEYOND,
        "limit": limit,
    }


def _entry_of(row: Row) -> MemoryEntry:
    path, sha256, size, created_at, updated_at, actor, key, session, turn = row
    return MemoryEntry(
        path=path,
        sha256=bytes(sha256).hex(),
        size=size,
        created_at=to_instant(created_at),
        updated_at=to_instant(updated_at),
        by=Writer(
            actor=Actor(actor, None if key is None else KeyId(UUID(bytes=key))),
            session=None if session is None else SessionId(UUID(bytes=session)),
            turn=None if turn is None else TurnId(UUID(bytes=turn)),
        ),
    )
