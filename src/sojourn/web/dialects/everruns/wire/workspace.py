"""A workspace and its files as Everruns shows them, and what a client may say of them."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

Encoding = Literal["text", "base64"]


class Workspace(Struct, kw_only=True):
    id: str
    name: str
    status: Literal["active", "archived"]
    created_at: str
    updated_at: str
    archived_at: str | UnsetType = UNSET


class FileList(Struct):
    recursive: Literal["true", "false"] = "false"


class NewFile(Struct):
    """Null is as good as absent."""

    content: str | None = None
    encoding: Encoding | None = None
    is_readonly: bool | None = None
    is_directory: bool | None = None


class ChangedFile(Struct):
    content: str | None = None
    encoding: Encoding | None = None
    is_readonly: bool | None = None


class Relocation(Struct):
    src_path: str
    dst_path: str


class Grep(Struct):
    pattern: str
    path_pattern: str | None = None


class Stat(Struct):
    path: str


class FileStat(Struct, kw_only=True):
    path: str
    name: str
    is_directory: bool
    is_readonly: bool
    size_bytes: int
    created_at: str
    updated_at: str


class FileInfo(FileStat, kw_only=True):
    """`id` and `session_id` are dashed UUIDs here."""

    id: str
    session_id: str


class SessionFile(FileInfo, kw_only=True):
    encoding: Encoding
    content: str | UnsetType = UNSET


class Deleted(Struct):
    deleted: bool


class GrepMatch(Struct):
    path: str
    line_number: int
    line: str


class GrepResult(Struct):
    path: str
    matches: list[GrepMatch]
