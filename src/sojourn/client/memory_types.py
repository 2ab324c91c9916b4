"""What the native API sends of the memory of agents."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sojourn.client.wire import Wire


class MemoryWriter(Wire, frozen=True, kw_only=True):
    """`session` and `turn` are those of an agent that remembered something; None where a client wrote."""

    kind: Literal["human", "agent", "schedule", "policy", "timeout"]
    key: UUID | None
    session: UUID | None
    turn: UUID | None


class MemoryEntry(Wire, frozen=True, kw_only=True):
    """`sha256` is that of the text's bytes, `size` their number; `written_by` is who wrote it last."""

    path: str
    sha256: str
    size: int
    created_at: datetime
    updated_at: datetime
    written_by: MemoryWriter


class Memory(MemoryEntry, frozen=True, kw_only=True):
    text: str


class MemoryEntries(Wire, frozen=True, kw_only=True):
    data: list[MemoryEntry]


class MemoryLine(Wire, frozen=True, kw_only=True):
    """A line that holds what was searched for; `line` counts from 1."""

    path: str
    line: int
    text: str


class MemoryLines(Wire, frozen=True, kw_only=True):
    data: list[MemoryLine]
