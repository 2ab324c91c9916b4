"""The demo's server: a child process, so that it can be killed like a real one."""

import asyncio
import json
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from sojourn.cli.screen import Trouble, one_line

_START_SECONDS = 30.0
_STOP_SECONDS = 10.0


class ServerChild:
    """`sojourn serve` on a free port, which it keeps when it is started again."""

    def __init__(self, data_dir: Path, model: str) -> None:
        self.url = ""
        self.key = ""
        self._data_dir = data_dir
        self._model = model
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            try:
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._process.wait()
            except TimeoutError:
                await self.kill()

    async def start(self) -> None:
        """Return once it answers; Trouble if it does not come up."""
        port = self.url.rpartition(":")[2] or "0"
        log_path = self._data_dir / "server.log"
        with log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "sojourn", "serve", "--json", "--port", port),
                *("--data-dir", str(self._data_dir), "--default-model", self._model),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout is not None
        async with asyncio.timeout(_START_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            last_line = log_path.read_text(errors="replace").strip().rpartition("\n")[2]
            raise Trouble(f"The server did not start: {one_line(last_line, 500)}")
        said = json.loads(line)
        self.url, self.key = said["url"], said["key"] or self.key

    async def kill(self) -> None:
        """End it as a power cut would, without a chance to tidy up."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
