"""The directory that an agent's program works in, and its counterpart, the session's file area.

What clients put into the area is laid into the directory before a turn, and what the program changed in the directory
is put into the area after it: so that files are shown, forked and exported with their session, and are there again on
another machine.
"""

import asyncio
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Final

from sojourn.domain.errors import InvalidRequest, LimitExceeded, WrongState
from sojourn.ports.turns import Journal

log = logging.getLogger(__name__)

# A program may clone a repository or install packages into its directory: that much is kept with the session.
MOST_FILES: Final = 500
LARGEST_FILE_BYTES: Final = 1024 * 1024
# What a program may have read to it at once.
MOST_READ_BYTES: Final = 32 * 1024 * 1024
PASSED_OVER: Final = frozenset({".git", ".hg", ".svn", ".venv", "__pycache__", "node_modules"})


@dataclass(frozen=True, slots=True)
class Stamp:
    modified_ns: int
    size: int


@dataclass(slots=True)
class Workspace:
    """`path` is given resolved. What is `seen` is in the area as it is in the directory."""

    path: Path
    seen: dict[str, Stamp] = field(default_factory=dict[str, Stamp])

    def inside(self, path: str) -> Path:
        """The file that a program means. OSError for what is no path, and for one outside, also by way of a link."""
        try:
            found = (self.path / path).resolve()
        except (RuntimeError, ValueError) as error:
            # Links that lead to themselves; a zero in a name.
            raise OSError(f"{path!r} names no file: {error}") from None
        if not found.is_relative_to(self.path) or found == self.path:
            raise PermissionError(f"{path} is not in the session's directory {self.path}")
        return found

    async def lay_out(self, journal: Journal) -> None:
        """Bring the directory up to the area. What only the directory has stays there.

        Where the two differ the area is right: what is on disk only was never said. Unless the program has changed or
        removed it since, which is brought in after the turn.
        """
        if not await asyncio.to_thread(self.path.is_dir):
            # Somebody cleared the server's data away: that is no word of the program's about its files.
            self.seen.clear()
        for name, _ in await journal.list_files():
            data = await journal.read_file(name)
            stamp = await asyncio.to_thread(_stamp, self.path / name)
            is_changed_here = name in self.seen and self.seen[name] != stamp
            if data is None or is_changed_here:
                continue
            try:
                self.seen[name] = await asyncio.to_thread(_write, self.inside(name), data)
            except OSError as error:
                # The program has something else where this belongs.
                log.info("the file %s of session %s is not laid out: %s", name, journal.turn.session, error)

    async def bring_in(self, journal: Journal) -> None:
        """Put into the area what the program changed in the directory."""
        for name, stamp in await asyncio.to_thread(lambda: list(_files(self.path))):
            if self.seen.get(name) == stamp:
                continue
            try:
                data = await asyncio.to_thread(_read, self.path / name)
                if await journal.read_file(name) != data:
                    await journal.write_file(name, data)
            except (InvalidRequest, LimitExceeded, WrongState, OSError) as refusal:
                log.info(
                    "the file %s of session %s stays on disk only: %s", name, journal.turn.session, refusal
                )
            self.seen[name] = stamp
        for name in await asyncio.to_thread(self._removed):
            try:
                await journal.delete_file(name)
            except WrongState as refusal:
                log.info(
                    "the file %s of session %s stays in the area: %s", name, journal.turn.session, refusal
                )
            del self.seen[name]

    def _removed(self) -> list[str]:
        """What was in the directory and is not there any more, unless the directory itself is gone."""
        return (
            [name for name in self.seen if not os.path.lexists(self.path / name)]
            if self.path.is_dir()
            else []
        )

    async def read(self, path: str) -> str:
        """OSError for what is no text file of the program's."""
        data = await asyncio.to_thread(_read, self.inside(path))
        return data.decode("utf-8", "replace")

    async def write(self, journal: Journal, path: str, text: str) -> None:
        """Into the area first: what is on disk only was never said. OSError where either refuses it."""
        found, data = self.inside(path), text.encode("utf-8", "replace")
        name = found.relative_to(self.path).as_posix()
        try:
            await journal.write_file(name, data)
        except (InvalidRequest, LimitExceeded, WrongState) as refusal:
            raise OSError(str(refusal)) from None
        self.seen[name] = await asyncio.to_thread(_write, found, data)


def _read(path: Path) -> bytes:
    with closing(_opened(path, os.O_RDONLY)) as file:
        if os.fstat(file.fileno()).st_size > MOST_READ_BYTES:
            raise OSError(f"{path} is larger than {MOST_READ_BYTES} bytes")
        return file.read(MOST_READ_BYTES)


def _opened(path: Path, flags: int) -> FileIO:
    """A file and nothing else: whoever opened a pipe would wait for its other end, which need never come."""
    file = FileIO(os.open(path, flags | os.O_NONBLOCK, 0o666), "w" if flags & os.O_WRONLY else "r")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"{path} is no file")
    return file


def _write(path: Path, data: bytes) -> Stamp:
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)) as file:
            file.write(data)
    stamp = _stamp(path)
    assert stamp is not None
    return stamp


def _stamp(path: Path) -> Stamp | None:
    """None where there is no regular file."""
    try:
        found = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Stamp(found.st_mtime_ns, found.st_size)


def _files(root: Path) -> Iterator[tuple[str, Stamp]]:
    """The files that are kept with the session: regular ones, not too large, not too many."""
    count = 0
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in PASSED_OVER)
        for name in sorted(files):
            path = Path(folder) / name
            stamp = _stamp(path)
            if stamp is None or stamp.size > LARGEST_FILE_BYTES:
                continue
            yield path.relative_to(root).as_posix(), stamp
            count += 1
            if count == MOST_FILES:
                return
