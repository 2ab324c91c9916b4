"""What may happen to a file area. The service and a runner's turn plan by these rules, under the session's lock."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sojourn.domain.errors import AlreadyExists, InvalidRequest, LimitExceeded, NotFound, WrongState
from sojourn.domain.file import MAX_FILE_BYTES, MAX_FILES, File, ancestors, file_path, is_below
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.ids import OrgId, SessionId
from sojourn.ports import Tx

# Entries that one request moves or copies: each is an event, and all of them are written in one transaction.
MAX_MOVED: Final = 1_000

Changes = tuple[FileWritten | FileDeleted, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is to hold, with its digest, which is made before the transaction."""

    data: bytes
    sha256: bytes

    @classmethod
    def of(cls, data: bytes) -> "Content":
        """InvalidRequest for more than a file may hold."""
        if len(data) > MAX_FILE_BYTES:
            raise InvalidRequest("content", f"must not be larger than {MAX_FILE_BYTES} bytes")
        return cls(data, hashlib.sha256(data).digest())


@dataclass(frozen=True, slots=True)
class Area:
    """The area of one session, within a transaction that holds its lock."""

    tx: Tx
    org: OrgId
    session: SessionId

    async def write(
        self, path: str, content: Content, *, readonly: bool = False, create_only: bool = False
    ) -> Changes:
        """Nothing for a file that is so already. AlreadyExists if it is there and `create_only` says that it is new."""
        found, is_directory = await self._look(path)
        if is_directory:
            raise WrongState("path", "a directory", "be written as a file")
        written = FileWritten(
            path=path, sha256=content.sha256.hex(), size=len(content.data), readonly=readonly
        )
        if found is not None:
            if create_only:
                raise AlreadyExists("file", path)
            if (found.sha256, found.readonly) == (written.sha256, written.readonly):
                return ()
            _require_writable([found], "be changed")
        else:
            await self._require_room(1)
        await self.tx.put_blob(self.org, content.sha256, content.data)
        return (written,)

    async def protect(self, path: str, readonly: bool) -> Changes:
        """Set or lift the mark that refuses changes."""
        found, is_directory = await self._look(path)
        if found is None or is_directory:
            raise NotFound("file", path)
        if found.readonly == readonly:
            return ()
        return (FileWritten(path=path, sha256=found.sha256, size=found.size, readonly=readonly),)

    async def make_directory(self, path: str) -> Changes:
        """AlreadyExists if there is a file or a directory, also one that is there only for what it holds."""
        found, is_directory = await self._look(path)
        if found is not None or is_directory:
            raise AlreadyExists("directory" if is_directory else "file", path)
        await self._require_room(1)
        return (FileWritten(path=path, sha256=None, size=0),)

    async def delete(self, path: str, recursive: bool) -> Changes:
        entries = await self._entries(path)
        if not recursive and any(entry.path != path for entry in entries):
            raise WrongState("directory", "not empty", "be deleted")
        _require_writable(entries, "be deleted")
        return (FileDeleted(path=path),)

    async def move(self, source: str, target: str) -> Changes:
        entries, copies = await self._copies(source, target)
        _require_writable(entries, "be moved")
        return (*copies, FileDeleted(path=source))

    async def copy(self, source: str, target: str) -> Changes:
        """A copy of a read-only file may be changed."""
        entries, copies = await self._copies(source, target)
        await self._require_room(len(entries))
        return copies

    async def _copies(self, source: str, target: str) -> tuple[Sequence[File], tuple[FileWritten, ...]]:
        if target == source or is_below(target, source):
            raise InvalidRequest("target", "must not lie within the source")
        entries = await self._entries(source)
        if len(entries) > MAX_MOVED:
            raise InvalidRequest("source", f"must not hold more than {MAX_MOVED} entries")
        found, is_directory = await self._look(target)
        if found is not None or is_directory:
            raise AlreadyExists("directory" if is_directory else "file", target)
        return entries, tuple(
            FileWritten(
                path=file_path(target + entry.path[len(source) :], "target"),
                sha256=entry.sha256,
                size=entry.size,
            )
            for entry in entries
        )

    async def _entries(self, path: str) -> Sequence[File]:
        """The entry at a path and those below it; NotFound if there is nothing."""
        found = await self.tx.get_files(self.org, self.session, [path])
        entries = [*found.values(), *await self.tx.list_files(self.org, self.session, path)]
        if not entries:
            raise NotFound("file", path)
        return entries

    async def _look(self, path: str) -> tuple[File | None, bool]:
        """The entry at a path, and whether the path is a directory. WrongState if it lies below a file."""
        around = (*ancestors(path), path)
        found = await self.tx.get_files(self.org, self.session, around)
        if any(not found[above].is_directory for above in around[:-1] if above in found):
            raise WrongState("path", "a file", "hold other files")
        entry = found.get(path)
        if entry is not None:
            return entry, entry.is_directory
        return None, bool(await self.tx.list_files(self.org, self.session, path, 1))

    async def _require_room(self, entries: int) -> None:
        if await self.tx.count_files(self.org, self.session) + entries > MAX_FILES:
            raise LimitExceeded("files of a session", MAX_FILES)


def _require_writable(entries: Sequence[File], verb: str) -> None:
    if any(entry.readonly for entry in entries):
        raise WrongState("file", "read-only", verb)
