"""Where a scenario gets its servers, each with an empty data directory unless it names one."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bench import postgres, target
from bench.report import Findings
from bench.target import Target


class Lab:
    """`root` should lie on the kind of disk that a real server would use: fsync on tmpfs costs nothing."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folders = 0

    def folder(self) -> Path:
        self._folders += 1
        return self._root / str(self._folders)

    def sojourn(self, data: Path | None = None, **settings: str) -> AbstractAsyncContextManager[Target]:
        return target.sojourn(data or self.folder(), settings)

    def postgres(self) -> AbstractAsyncContextManager[str]:
        """The URL of an empty database."""
        return postgres.running(self.folder())

    def floor(self, batch: int = 1000) -> AbstractAsyncContextManager[Target]:
        return target.floor(self.folder(), batch)


Scenario = Callable[[Lab], Awaitable[Findings]]
