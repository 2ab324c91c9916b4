"""Workspaces: every session has its own, and files lie in it by absolute paths. Pure."""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from datetime import datetime
from itertools import groupby
from typing import ClassVar, Final
from uuid import UUID, uuid5

from msgspec import UNSET

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file import File
from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.service.grep import Match
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire import workspace as wire
from sojourn.web.kit.refusals import BadRequest, RequestRefused

RESERVED: Final = "_"


class NoStandaloneWorkspace(RequestRefused):
    code: ClassVar[str] = "workspaces_not_supported"

    def __init__(self) -> None:
        super().__init__("Every session has a workspace of its own here; none is made without a session.")


class SessionsWorkspace(RequestRefused):
    code: ClassVar[str] = "workspace_of_session"

    def __init__(self) -> None:
        super().__init__("The workspace is its session's: change, archive or delete the session.")


class FileIsReadonly(RequestRefused):
    code: ClassVar[str] = "file_readonly"

    def __init__(self, path: str) -> None:
        super().__init__(f"The file is read-only: {path[:200]}")


def session_of(workspace: str) -> SessionId:
    """A session's workspace has the session's own digits."""
    return SessionId(ids.parse("wsp", workspace))


def workspace(record: SessionRecord) -> wire.Workspace:
    row = record.session
    return wire.Workspace(
        id=ids.text("wsp", row.id),
        name=record.title or f"session-{row.id.hex[-8:]}",
        status="active" if row.archived_at is None else "archived",
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        archived_at=UNSET if row.archived_at is None else stamp(row.archived_at),
    )


def free_path(text: str) -> str:
    """A path that a client may make something at."""
    if text.lstrip("/").startswith(RESERVED):
        raise BadRequest("Paths that begin with _ are reserved", "path")
    return text


def data(content: str | None, encoding: str | None) -> bytes:
    if encoding != "base64":
        return (content or "").encode()
    try:
        return b64decode(content or "", validate=True)
    except (NotBase64, ValueError):
        raise InvalidRequest("content", "is not base64") from None


def stat(file: File) -> wire.FileStat:
    return wire.FileStat(
        path=absolute(file.path),
        name=file.path.rpartition("/")[2] or "/",
        is_directory=file.is_directory,
        is_readonly=file.readonly,
        size_bytes=file.size,
        created_at=stamp(file.created_at),
        updated_at=stamp(file.updated_at),
    )


def root(since: datetime) -> File:
    """The area itself, which is no entry of it."""
    return File(path="", sha256=None, size=0, seq=0, created_at=since, updated_at=since)


def info(session: SessionId, file: File) -> wire.FileInfo:
    shown = stat(file)
    return wire.FileInfo(
        id=_id(session, file.path),
        session_id=str(session),
        path=shown.path,
        name=shown.name,
        is_directory=shown.is_directory,
        is_readonly=shown.is_readonly,
        size_bytes=shown.size_bytes,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )


def whole(session: SessionId, file: File, content: bytes | None) -> wire.SessionFile:
    """With its content, of which a directory has none."""
    text = None if content is None else _as_text(content)
    shown = info(session, file)
    return wire.SessionFile(
        id=shown.id,
        session_id=shown.session_id,
        path=shown.path,
        name=shown.name,
        is_directory=shown.is_directory,
        is_readonly=shown.is_readonly,
        size_bytes=shown.size_bytes,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
        encoding="text" if content is None or text is not None else "base64",
        content=UNSET if content is None else b64encode(content).decode() if text is None else text,
    )


def results(matches: Iterable[Match]) -> list[wire.GrepResult]:
    return [
        wire.GrepResult(
            absolute(path), [wire.GrepMatch(absolute(path), match.line, match.text) for match in found]
        )
        for path, found in groupby(matches, key=lambda match: match.path)
    ]


def absolute(path: str) -> str:
    return f"/{path}"


def _id(session: SessionId, path: str) -> str:
    """A file has no id of its own: this one is of its place."""
    return str(uuid5(UUID(int=session.int), path))


def _as_text(content: bytes) -> str | None:
    if b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
