"""What the native API says of the memory of agents."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from sojourn.domain.memory import MAX_MEMORY_BYTES
from sojourn.web.native.wire import Count, Instant

Text = Annotated[
    str, Meta(max_length=MAX_MEMORY_BYTES, description=f"At most {MAX_MEMORY_BYTES} bytes of UTF-8.")
]


class MemoryWriter(Struct):
    """`session` and `turn` are those of an agent that remembered something; null where a client wrote."""

    kind: Literal["human", "agent", "schedule", "policy", "timeout"]
    key: UUID | None
    session: UUID | None
    turn: UUID | None


class MemoryEntry(Struct):
    """`sha256` is that of the text's bytes, `size` their number; `written_by` is who wrote it last."""

    path: str
    sha256: str
    size: Count
    created_at: Instant
    updated_at: Instant
    written_by: MemoryWriter


class Memory(MemoryEntry):
    text: str


class MemoryEntries(Struct):
    data: list[MemoryEntry]
    next_cursor: str | None


class NewMemory(Struct, forbid_unknown_fields=True):
    text: Text
