"""File areas and blobs: rows to values and back, and the verbs of both."""

from collections.abc import Mapping, Sequence
from typing import Final

from sojourn.domain.file import MAX_FILES, File
from sojourn.domain.ids import OrgId, SessionId
from sojourn.store.db import Db
from sojourn.store.rows import Row, to_instant, to_micros
from sojourn.store.where import NumberedBinder

_FILES: Final = "SELECT path, sha256, size, seq, readonly, created_at, updated_at FROM files"


class FileReads:
    _db: Db

    async def get_blob(self, org: OrgId, sha256: bytes) -> bytes | None:
        row = await self._db.one("get_blob", {"org": org, "sha256": sha256})
        return None if row is None else bytes(row[0])

    async def uses_blob(self, org: OrgId, session: SessionId, sha256: bytes) -> bool:
        params = {"org": org, "session": session, "sha256": sha256}
        return await self._db.one("uses_blob", params) is not None

    async def get_files(self, org: OrgId, session: SessionId, paths: Sequence[str]) -> Mapping[str, File]:
        if not paths:
            return {}
        bind = NumberedBinder(self._db.dialect)
        text = (
            f"{_FILES} WHERE org = {bind(org)} AND session = {bind(session)}"
            f" AND path IN ({', '.join(bind(path) for path in paths)})"
        )
        files = [_file_of(row) for row in await self._db.select(text, bind.values)]
        return {file.path: file for file in files}

    async def list_files(
        self, org: OrgId, session: SessionId, below: str = "", limit: int = MAX_FILES
    ) -> Sequence[File]:
        bind = NumberedBinder(self._db.dialect)
        # By code points in both, whatever the database's locale: a slash is followed by a nought.
        path = "path" if self._db.dialect == "sqlite" else 'path COLLATE "C"'
        text = f"{_FILES} WHERE org = {bind(org)} AND session = {bind(session)}"
        if below:
            text += f" AND {path} > {bind(below + '/')} AND {path} < {bind(below + '0')}"
        text += f" ORDER BY {path} LIMIT {bind(limit)}"
        return [_file_of(row) for row in await self._db.select(text, bind.values)]

    async def count_files(self, org: OrgId, session: SessionId) -> int:
        row = await self._db.one("count_files", {"org": org, "session": session})
        return 0 if row is None else int(row[0])


class FileWrites:
    _db: Db

    async def put_blob(self, org: OrgId, sha256: bytes, data: bytes) -> None:
        await self._db.run("put_blob", {"org": org, "sha256": sha256, "size": len(data), "data": data})

    async def use_blobs(self, org: OrgId, session: SessionId, uses: Sequence[tuple[int, bytes]]) -> None:
        if uses:
            rows = [{"org": org, "session": session, "seq": seq, "sha256": sha256} for seq, sha256 in uses]
            await self._db.many("use_blob", rows)

    async def _release_blobs(self, org: bytes, session: bytes, limit: int) -> int:
        """Let a deleted session use some of its blobs no more; how many. Those that nobody uses now are removed."""
        params: dict[str, object] = {"org": org, "session": session}
        found = await self._db.all("used_blobs", params | {"limit": limit})
        for (sha256,) in found:
            blob = params | {"sha256": bytes(sha256)}
            await self._db.one("lock_blob", {"org": org, "sha256": bytes(sha256)})
            await self._db.run("delete_blob_uses", blob)
            await self._db.run("delete_unused_blob", {"org": org, "sha256": bytes(sha256)})
        return len(found)

    async def write_file(self, org: OrgId, session: SessionId, file: File) -> None:
        await self._db.run("write_file", {"org": org, "session": session, **_file_params(file)})

    async def delete_file(self, org: OrgId, session: SessionId, path: str) -> None:
        await self._db.run("delete_file", {"org": org, "session": session, "path": path})


def _file_of(row: Row) -> File:
    path, sha256, size, seq, readonly, created_at, updated_at = row
    return File(
        path=path,
        sha256=None if sha256 is None else bytes(sha256).hex(),
        size=size,
        seq=seq,
        readonly=bool(readonly),
        created_at=to_instant(created_at),
        updated_at=to_instant(updated_at),
    )


def _file_params(file: File) -> dict[str, object]:
    return {
        "path": file.path,
        "sha256": None if file.sha256 is None else bytes.fromhex(file.sha256),
        "size": file.size,
        "seq": file.seq,
        "readonly": file.readonly,
        "created_at": to_micros(file.created_at),
        "updated_at": to_micros(file.updated_at),
    }
