"""`python -m sojourn worker` in a process of its own, for a server in another."""

import asyncio
import contextlib
import json
import sys
from types import TracebackType
from typing import Self

from tests.client.server import BOUND_SECONDS, ServerProcess, environment


class WorkerProcess:
    def __init__(self, server: ServerProcess, key: str, *options: str, **settings: str) -> None:
        """`settings` are variables of its environment."""
        self.name = ""
        self._settings = settings
        self._server = server
        self._key = key
        self._options = options
        self._process: asyncio.subprocess.Process

    async def __aenter__(self) -> Self:
        data_dir = self._server.data_dir.parent / "worker"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sojourn", "worker", "--json", "--url", self._server.url),
            *("--key", self._key, "--data-dir", str(data_dir), *self._options),
            env=environment(**self._settings),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(BOUND_SECONDS):
            line = await self._process.stdout.readline()
        assert line, "the worker ended before it worked; what it said stands above"
        self.name = json.loads(line)["worker"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        async with asyncio.timeout(BOUND_SECONDS):
            return await self._process.wait()
