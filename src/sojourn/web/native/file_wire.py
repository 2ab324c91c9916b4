"""The native API's format of file areas."""

from typing import Annotated

from msgspec import Meta, Struct

from sojourn.domain.file import MAX_PATH
from sojourn.web.native.wire import Count, Instant, Path


class File(Struct):
    """An entry of a file area. `sha256` is null for a directory; `seq` is the event that wrote it last."""

    path: str
    is_directory: bool
    sha256: str | None
    size: Count
    readonly: bool
    seq: int
    created_at: Instant
    updated_at: Instant


class Files(Struct):
    data: list[File]
    next_cursor: str | None


class FileChange(Struct, forbid_unknown_fields=True):
    readonly: bool


class NewDirectory(Struct, forbid_unknown_fields=True):
    path: Path


class FileMove(Struct, forbid_unknown_fields=True):
    """There must be nothing at `target`."""

    source: Path
    target: Path


class Grep(Struct, forbid_unknown_fields=True):
    """`pattern` is a regular expression in Python's syntax; `glob` selects paths, and its `*` matches slashes too."""

    pattern: Annotated[str, Meta(max_length=1000)]
    directory: Annotated[str, Meta(max_length=MAX_PATH)] = ""
    glob: Annotated[str, Meta(max_length=200)] | None = None


class Match(Struct):
    """`line` counts from 1; `text` is the line, at most 1,000 characters of it."""

    path: str
    line: int
    text: str


class Matches(Struct):
    """`truncated` says that there is more than is shown, or more files than are searched at once."""

    data: list[Match]
    truncated: bool
