"""The vendor's app in a process of its own, and what it tells of itself."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LIBRARY = "bedrock-agentcore==1.25.0"
BOUND_SECONDS = 60.0


class AppProcess:
    """It keeps its port when it is started again."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        script = Path(__file__).with_name("agentcore_app.py")
        self._process = await asyncio.create_subprocess_exec(
            *(str(self._python), "-I", str(script), str(self.port)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        self.port = (await self.told("listens"))["port"]

    async def told(self, happened: str) -> dict[str, Any]:
        """The next thing that happens to it, which must be that one."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(BOUND_SECONDS):
            line = await self._process.stdout.readline()
        assert line, "the app ended"
        told = json.loads(line)
        assert told["happened"] == happened
        return told

    async def kill(self) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
