"""The file area of a session: the rule for paths, its entries, and what a directory shows.

Every surface and the tools of a runner go by the one rule: a path is relative to the area, its parts are parted by
slashes, and nothing in it leads out.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sojourn.domain.errors import InvalidRequest

MAX_PATH: Final = 500
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
# Entries of one area; a listing reads all of them.
MAX_FILES: Final = 10_000
# Files that a session may be made with, and their bytes together.
MAX_INITIAL_FILES: Final = 100
MAX_INITIAL_BYTES: Final = 5 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An entry of an area. `sha256` names the content's blob in hexadecimal, None for a directory; `size` is in bytes.

    A directory is an entry only if it was made on purpose; any other is there because something is below it. `seq` is
    the event that wrote the entry last. `readonly` refuses every change but its own.
    """

    path: str
    sha256: str | None
    size: int
    seq: int
    created_at: datetime
    updated_at: datetime
    readonly: bool = False

    @property
    def is_directory(self) -> bool:
        return self.sha256 is None


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that a session is made with."""

    path: str
    data: bytes
    readonly: bool = False


def file_path(text: str, field: str = "path") -> str:
    """The path in its one form; InvalidRequest for what is none, or is the area itself."""
    path = directory_path(text, field)
    if not path:
        raise InvalidRequest(field, "must name something within the area")
    return path


def directory_path(text: str, field: str = "path") -> str:
    """As `file_path`; the area itself is the empty path."""
    if len(text) > MAX_PATH:
        raise InvalidRequest(field, f"must not be longer than {MAX_PATH} characters")
    return plain_path(text, field)


def plain_path(text: str, field: str) -> str:
    """Any path in its one form, however long."""
    if any(character < " " or "\ud800" <= character <= "\udfff" or character == "\x7f" for character in text):
        raise InvalidRequest(field, "must not contain control characters or halves of characters")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise InvalidRequest(field, "must not contain '..'")
    return "/".join(parts)


def initial_files(files: Iterable[NewFile]) -> tuple[NewFile, ...]:
    """What a session may be made with, each path in its one form; of two with one path the later counts.

    InvalidRequest names what is wrong.
    """
    found: dict[str, NewFile] = {}
    for index, file in enumerate(files):
        path = file_path(file.path, f"files.{index}.path")
        found[path] = replace(file, path=path)
        if len(file.data) > MAX_FILE_BYTES:
            raise InvalidRequest(f"files.{index}", f"must not be larger than {MAX_FILE_BYTES} bytes")
    if len(found) > MAX_INITIAL_FILES:
        raise InvalidRequest("files", f"must not be more than {MAX_INITIAL_FILES}")
    if sum(len(file.data) for file in found.values()) > MAX_INITIAL_BYTES:
        raise InvalidRequest("files", f"must not be larger than {MAX_INITIAL_BYTES} bytes together")
    for path in found:
        if any(above in found for above in ancestors(path)):
            raise InvalidRequest("files", f"{path[:100]} lies below another of the files")
    return tuple(found.values())


def ancestors(path: str) -> tuple[str, ...]:
    """The directories that a path lies in, outermost first, without the area itself."""
    parts = path.split("/")[:-1]
    return tuple("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def is_below(path: str, directory: str) -> bool:
    return not directory or path.startswith(f"{directory}/")


def below(paths: Sequence[str], directory: str) -> Sequence[str]:
    """Those of sorted paths that lie below a directory."""
    # Of all that begins with `directory/` nothing comes behind `directory0`, its next character.
    return paths[bisect_left(paths, f"{directory}/") : bisect_left(paths, f"{directory}0")]


def tree(files: Iterable[File]) -> Sequence[File]:
    """The entries, and every directory that they imply, in the order of their paths."""
    entries = {file.path: file for file in files}
    for file in list(entries.values()):
        for path in ancestors(file.path):
            known = entries.get(path)
            entries[path] = _directory(path, file) if known is None else _holding(known, file)
    return [entries[path] for path in sorted(entries)]


def children(entries: Iterable[File], directory: str) -> Sequence[File]:
    """Those of a tree's entries that lie in a directory itself."""
    start = len(directory) + 1 if directory else 0
    return [file for file in entries if is_below(file.path, directory) and "/" not in file.path[start:]]


def _directory(path: str, file: File) -> File:
    return replace(file, path=path, sha256=None, size=0, readonly=False)


def _holding(directory: File, file: File) -> File:
    """A directory is as new as the newest entry below it, and as old as the oldest."""
    return replace(
        directory,
        seq=max(directory.seq, file.seq),
        created_at=min(directory.created_at, file.created_at),
        updated_at=max(directory.updated_at, file.updated_at),
    )
