"""What a log says of the agent's memory, as far as a turn of this session changed it.

The digest and not the text: the call of the tool holds what the model wrote, the memory holds what is there now, and a
third copy would only be one more to be found when somebody wants it gone.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryWritten:
    """A memory was made or changed. `size` is in bytes, `sha256` is that of the text, in hexadecimal."""

    type: ClassVar[str] = "memory.written"
    v: ClassVar[int] = 1
    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDeleted:
    """The memory at `path` is gone; `sha256` is that of its last text, in hexadecimal."""

    type: ClassVar[str] = "memory.deleted"
    v: ClassVar[int] = 1
    path: str
    sha256: str
