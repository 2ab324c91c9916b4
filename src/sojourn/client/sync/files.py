# Made from src/sojourn/client/files.py by scripts/twin; change that one.
"""The file area of a session."""

from collections.abc import Generator
from uuid import UUID

from sojourn.client.file_types import File, Matches
from sojourn.client.request import Request, post
from sojourn.client.sync.calls import Calls
from sojourn.client.types import Page


class FileCalls(Calls):
    """Paths are relative to the session's area. Changing a file raises Conflict unless the session is open."""

    def list_files(
        self, session: UUID, directory: str = "", *, recursive: bool = False, page_size: int = 1000
    ) -> Generator[File, None]:
        """What lies in a directory, or at any depth below it, in the order of the paths."""
        params = [("directory", directory), ("recursive", _flag(recursive)), ("limit", str(page_size))]
        return self._all(f"/sessions/{session}/files", params, Page[File])

    def get_file(self, session: UUID, path: str) -> File:
        request = Request("GET", f"/sessions/{session}/files/entry", [("path", path)])
        return self._transport.fetch(request, File)

    def read_file(self, session: UUID, path: str) -> bytes:
        return self._transport.read(Request("GET", f"/sessions/{session}/files/content", [("path", path)]))

    def write_file(
        self, session: UUID, path: str, data: bytes, *, readonly: bool = False, create_only: bool = False
    ) -> File:
        """Make a file, or replace what it holds. Conflict if it is there and `create_only`, or if it is read-only."""
        params = [("path", path), ("readonly", _flag(readonly))]
        headers = {"If-None-Match": "*"} if create_only else {}
        headers["Content-Type"] = "application/octet-stream"
        request = Request(
            "PUT",
            f"/sessions/{session}/files/content",
            params,
            headers=headers,
            content=data,
            # A repeat could not tell its own first try from somebody else's file.
            repeatable=not create_only,
        )
        return self._transport.fetch(request, File)

    def protect_file(self, session: UUID, path: str, readonly: bool = True) -> File:
        """Make a file read-only, or writable again."""
        body = {"readonly": readonly}
        request = Request("PATCH", f"/sessions/{session}/files/entry", [("path", path)], body)
        return self._transport.fetch(request, File)

    def delete_file(self, session: UUID, path: str, *, recursive: bool = False) -> None:
        """Conflict for a directory that is not empty, unless `recursive`."""
        params = [("path", path), ("recursive", _flag(recursive))]
        self._transport.perform(
            Request("DELETE", f"/sessions/{session}/files/entry", params, repeatable=False)
        )

    def make_directory(self, session: UUID, path: str) -> File:
        return self._transport.fetch(post(f"/sessions/{session}/files/directory", {"path": path}), File)

    def move_file(self, session: UUID, source: str, target: str) -> File:
        """Conflict if there is something at `target`."""
        body = {"source": source, "target": target}
        return self._transport.fetch(post(f"/sessions/{session}/files/move", body), File)

    def copy_file(self, session: UUID, source: str, target: str) -> File:
        body = {"source": source, "target": target}
        return self._transport.fetch(post(f"/sessions/{session}/files/copy", body), File)

    def grep_files(
        self, session: UUID, pattern: str, *, directory: str = "", glob: str | None = None
    ) -> Matches:
        """The lines of text files in which a regular expression finds something."""
        body: dict[str, object] = {"pattern": pattern, "directory": directory, "glob": glob}
        return self._transport.fetch(post(f"/sessions/{session}/files/grep", body), Matches)


def _flag(value: bool) -> str:
    return "true" if value else "false"
