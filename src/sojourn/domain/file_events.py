"""What a log says of the session's file area."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWritten:
    """An entry of the session's file area was made or changed.

    `size` is in bytes, `sha256` names the content's blob in hexadecimal; null says that the entry is a directory.
    """

    type: ClassVar[str] = "file.written"
    v: ClassVar[int] = 2
    path: str
    sha256: str | None
    size: int
    readonly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDeleted:
    """The entry at `path` is gone, and everything below it."""

    type: ClassVar[str] = "file.deleted"
    v: ClassVar[int] = 1
    path: str
