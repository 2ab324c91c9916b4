"""The file area of a session: list, read, write, move, search. The log tells of every change.

Changing a file needs a session that is open and not archived; reading one needs that the session is there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from sojourn.domain.commands import ChangeFiles
from sojourn.domain.errors import InvalidRequest, NotFound, WrongState
from sojourn.domain.file import File, children, directory_path, file_path, is_below, tree
from sojourn.domain.ids import OrgId, SessionId
from sojourn.ports import Clock, Store, Tx
from sojourn.service.areas import Area, Changes, Content
from sojourn.service.grep import MAX_SEARCHED_BYTES, Found, Grep
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, carry_out, lock, once

MAX_GLOB: Final = 200


class Files:
    def __init__(self, store: Store, clock: Clock, grep: Grep | None = None) -> None:
        self._store = store
        self._clock = clock
        self._grep = grep or Grep()

    async def list(
        self, org: OrgId, session: SessionId, directory: str = "", *, recursive: bool = False
    ) -> Sequence[File]:
        """What lies in a directory, or at any depth below it, in the order of the paths."""
        directory = directory_path(directory, "directory")
        entries = [file for file in await self._tree(org, session) if is_below(file.path, directory)]
        if not entries and directory:
            entry = await self.get(org, session, directory)
            if not entry.is_directory:
                raise WrongState("path", "a file", "be listed")
        return entries if recursive else children(entries, directory)

    async def get(self, org: OrgId, session: SessionId, path: str) -> File:
        """An entry, or a directory that is there for what it holds."""
        path = file_path(path)
        found = (await self._store.reads.get_files(org, session, [path])).get(path)
        if found is None or found.is_directory:
            found = next((file for file in await self._tree(org, session) if file.path == path), None)
        else:
            await self._require_session(org, session)
        if found is None:
            raise NotFound("file", path)
        return found

    async def read(self, org: OrgId, session: SessionId, path: str) -> tuple[File, bytes]:
        """A file and its bytes. WrongState for a directory."""
        file = await self.get(org, session, path)
        return file, await self._content(org, file)

    async def write(
        self,
        org: OrgId,
        session: SessionId,
        path: str,
        data: bytes,
        *,
        readonly: bool = False,
        create_only: bool = False,
    ) -> Result[File]:
        """Make a file, or give it other content. AlreadyExists if it is there and `create_only` says that it is new."""
        path, content = file_path(path), Content.of(data)
        existed: list[bool] = []

        async def plan(area: Area) -> Changes:
            existed[:] = [bool(await area.tx.get_files(org, session, [path]))]
            return await area.write(path, content, readonly=readonly, create_only=create_only)

        file = await self._change(org, session, path, plan)
        return Result(file, created=not existed[0])

    async def protect(self, org: OrgId, session: SessionId, path: str, readonly: bool) -> File:
        """Set or lift the mark that refuses changes of a file."""
        path = file_path(path)
        return await self._change(org, session, path, lambda area: area.protect(path, readonly))

    async def delete(self, org: OrgId, session: SessionId, path: str, *, recursive: bool = False) -> None:
        """WrongState for a directory that is not empty, unless `recursive`."""
        path = file_path(path)

        async def verb(tx: Tx) -> None:
            await self._write(tx, org, session, lambda area: area.delete(path, recursive))

        await self._store.write(verb)

    async def make_directory(
        self, org: OrgId, session: SessionId, path: str, repeat: Repeat | None = None
    ) -> Result[File]:
        path = file_path(path)
        return await self._once(org, session, path, repeat, lambda area: area.make_directory(path))

    async def move(
        self, org: OrgId, session: SessionId, source: str, target: str, repeat: Repeat | None = None
    ) -> Result[File]:
        """Give a file, or a directory with all that it holds, another path, at which nothing may be."""
        source, target = file_path(source, "source"), file_path(target, "target")
        return await self._once(org, session, target, repeat, lambda area: area.move(source, target))

    async def copy(
        self, org: OrgId, session: SessionId, source: str, target: str, repeat: Repeat | None = None
    ) -> Result[File]:
        source, target = file_path(source, "source"), file_path(target, "target")
        return await self._once(org, session, target, repeat, lambda area: area.copy(source, target))

    async def grep(
        self, org: OrgId, session: SessionId, pattern: str, *, directory: str = "", glob: str | None = None
    ) -> Found:
        """The lines of text files in which a regular expression of Python's finds something.

        `glob` selects paths; its `*` matches slashes too. InvalidRequest for a pattern that is none, or is too slow.
        """
        directory = directory_path(directory, "directory")
        if glob is not None and len(glob) > MAX_GLOB:
            raise InvalidRequest("glob", f"must not be longer than {MAX_GLOB} characters")
        await self._require_session(org, session)
        texts: list[tuple[str, str]] = []
        size = 0
        for file in await self._store.reads.list_files(org, session, directory):
            if file.is_directory or (glob is not None and not fnmatchcase(file.path, glob)):
                continue
            size += file.size
            if size > MAX_SEARCHED_BYTES:
                break
            text = _as_text(await self._content(org, file))
            if text is not None:
                texts.append((file.path, text))
            # On SQLite a read does not suspend: give the others their turn between two files.
            await asyncio.sleep(0)
        found = await self._grep.search(pattern, texts)
        return Found(found.matches, found.truncated or size > MAX_SEARCHED_BYTES)

    async def _tree(self, org: OrgId, session: SessionId) -> Sequence[File]:
        await self._require_session(org, session)
        return tree(await self._store.reads.list_files(org, session))

    async def _require_session(self, org: OrgId, session: SessionId) -> None:
        # The files of a deleted session outlive it until they are purged.
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)

    async def _content(self, org: OrgId, file: File) -> bytes:
        if file.sha256 is None:
            raise WrongState("path", "a directory", "be read")
        data = await self._store.reads.get_blob(org, bytes.fromhex(file.sha256))
        if data is None:
            raise NotFound("file", file.path)
        return data

    async def _write(
        self, tx: Tx, org: OrgId, session: SessionId, plan: Callable[[Area], Awaitable[Changes]]
    ) -> None:
        state = await lock(tx, org, session)
        changes = await plan(Area(tx, org, session))
        await carry_out(tx, state, ChangeFiles(changes=changes), self._clock.now())

    async def _change(
        self, org: OrgId, session: SessionId, path: str, plan: Callable[[Area], Awaitable[Changes]]
    ) -> File:
        async def verb(tx: Tx) -> File:
            await self._write(tx, org, session, plan)
            return (await tx.get_files(org, session, [path]))[path]

        return await self._store.write(verb)

    async def _once(
        self,
        org: OrgId,
        session: SessionId,
        path: str,
        repeat: Repeat | None,
        plan: Callable[[Area], Awaitable[Changes]],
    ) -> Result[File]:
        async def verb(tx: Tx) -> Remembered:
            async def change() -> Remembered:
                await self._write(tx, org, session, plan)
                return Remembered({"path": path})

            return await once(tx, org, repeat, self._clock.now(), change)

        answer = await self._store.write(verb)
        return Result(await self.get(org, session, path), replayed=answer.replayed)


def _as_text(data: bytes) -> str | None:
    if b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
