"""What the store keeps of file areas, and of everything large."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sojourn.domain.file import MAX_FILES, File
from sojourn.domain.ids import OrgId, SessionId


class FileReads(Protocol):
    async def get_blob(self, org: OrgId, sha256: bytes) -> bytes | None: ...
    async def uses_blob(self, org: OrgId, session: SessionId, sha256: bytes) -> bool:
        """Whether an event of the session refers to the blob."""
        ...

    async def get_files(self, org: OrgId, session: SessionId, paths: Sequence[str]) -> Mapping[str, File]:
        """The entries at those of the paths that have one."""
        ...

    async def list_files(
        self, org: OrgId, session: SessionId, below: str = "", limit: int = MAX_FILES
    ) -> Sequence[File]:
        """The entries below a directory, or all of them, in the order of their paths."""
        ...

    async def count_files(self, org: OrgId, session: SessionId) -> int: ...


class FileWrites(Protocol):
    async def put_blob(self, org: OrgId, sha256: bytes, data: bytes) -> None: ...
    async def use_blobs(self, org: OrgId, session: SessionId, uses: Sequence[tuple[int, bytes]]) -> None:
        """The events of these seqs refer to these blobs. A blob is purged with the last session that uses it."""
        ...

    async def write_file(self, org: OrgId, session: SessionId, file: File) -> None:
        """Make the entry, or change the one that is there, which keeps its `created_at`."""
        ...

    async def delete_file(self, org: OrgId, session: SessionId, path: str) -> None:
        """Remove the entry and everything below it."""
        ...
