"""What the native API sends and takes of files."""

from datetime import datetime
from typing import Literal, Required, TypedDict

from sojourn.client.wire import Wire


class File(Wire, frozen=True, kw_only=True):
    """An entry of a session's file area. `sha256` is None for a directory; `seq` is the event that wrote it last."""

    path: str
    is_directory: bool
    sha256: str | None
    size: int
    readonly: bool
    seq: int
    created_at: datetime
    updated_at: datetime


class Match(Wire, frozen=True, kw_only=True):
    """`line` counts from 1; `text` is the line, cut where it is very long."""

    path: str
    line: int
    text: str


class Matches(Wire, frozen=True, kw_only=True):
    """`truncated` says that there is more than is shown, or more files than are searched at once."""

    data: list[Match]
    truncated: bool


class NewFile(TypedDict, total=False):
    """`content` is the text itself, or with `encoding` "base64" base64 of the bytes."""

    path: Required[str]
    content: Required[str]
    encoding: Literal["text", "base64"]
    readonly: bool
