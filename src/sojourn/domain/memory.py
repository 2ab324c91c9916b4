"""The memory of an agent: texts under paths, which outlive its sessions and are shared by all of them.

A memory is what is at one path. Nothing may lie below a path that holds a text, so paths read as those of files; a
directory is there for what lies below it and is nothing else.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sojourn.domain.actor import Actor
from sojourn.domain.agent import AgentSpec
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file import plain_path
from sojourn.domain.ids import SessionId, TurnId

MAX_MEMORY_BYTES: Final = 100_000
MAX_MEMORY_PATH_BYTES: Final = 1_024
# Of one agent. A listing of a turn reads all of them, and a search their texts.
MAX_MEMORIES: Final = 2_000
MAX_MEMORIES_BYTES: Final = 10_000_000

KIND: Final = "memory"
Access = Literal["read_write", "read_only"]
MEMORY_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "access": {
            "type": "string",
            "enum": ["read_write", "read_only"],
            "description": "What the model may do with the memory; read_write if it is left out.",
        }
    },
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Who wrote: a turn of a session, or an `actor` by itself, where `session` and `turn` are None."""

    actor: Actor
    session: SessionId | None = None
    turn: TurnId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryEntry:
    """What a list tells of a memory. `size` is in bytes of UTF-8, `sha256` of those bytes, in hexadecimal."""

    path: str
    sha256: str
    size: int
    created_at: datetime
    updated_at: datetime
    by: Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    entry: MemoryEntry
    text: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a writer takes to be at a path: a text of that digest, or nothing."""

    sha256: str | None


NOTHING: Final = Expected(None)


@dataclass(frozen=True, slots=True)
class MemoryText:
    """A text with its digest, which is made before the transaction."""

    text: str
    size: int
    sha256: str

    @classmethod
    def of(cls, text: str) -> "MemoryText":
        """InvalidRequest for a text that is too long, or holds what no database keeps."""
        try:
            data = text.encode()
        except UnicodeEncodeError:
            raise InvalidRequest("text", "must not contain halves of characters") from None
        if len(data) > MAX_MEMORY_BYTES:
            raise InvalidRequest("text", f"must not be larger than {MAX_MEMORY_BYTES} bytes")
        if "\0" in text:
            raise InvalidRequest("text", "must not contain NUL")
        return cls(text, len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, slots=True)
class Found:
    """A line that holds what was searched for; `line` counts from 1."""

    path: str
    line: int
    text: str


def memory_path(text: str, field: str = "path") -> str:
    """The path in its one form; InvalidRequest for what is none."""
    path = memory_directory(text, field)
    if not path:
        raise InvalidRequest(field, "must name something within the memory")
    return path


def memory_directory(text: str, field: str = "path") -> str:
    """As `memory_path`; the memory itself is the empty path."""
    path = plain_path(text, field)
    if len(path.encode()) > MAX_MEMORY_PATH_BYTES:
        raise InvalidRequest(field, f"must not be longer than {MAX_MEMORY_PATH_BYTES} bytes")
    return path


def access_of(spec: AgentSpec) -> Access | None:
    """What whoever runs an agent's turns may do with its memory; None is nothing.

    Capabilities are of the runner `model`, whose grants add up. The programs of other runners are trusted with what
    is their own agent's.
    """
    if spec.runner != "model" or KIND in spec.tools:
        return "read_write"
    given = [one.config.get("access", "read_write") for one in spec.capabilities.values() if one.kind == KIND]
    if "read_write" in given:
        return "read_write"
    return "read_only" if given else None


def search(memories: Iterable[tuple[str, str]], words: str, limit: int) -> Sequence[Found]:
    """The lines that hold a text, in either case of its letters, of memories given as (path, text)."""
    wanted = words.casefold()
    found: list[Found] = []
    for path, text in memories:
        for number, line in enumerate(text.splitlines(), 1):
            if wanted in line.casefold():
                found.append(Found(path, number, line))
                if len(found) == limit:
                    return found
    return found
