"""A chaos server as its clients meet it: up, down, and up again at the same port."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.chaos.plan import DEFECT_VARIABLE, KILL_VARIABLE, Defect, Plan

BOUND_SECONDS: Final = 30.0
LOG_FILE: Final = "server.log"


class Server:
    """`pids` are the processes that were started, in their order."""

    def __init__(self, data_dir: Path, defect: Defect | None = None, options: Sequence[str] = ()) -> None:
        self.data_dir = data_dir
        self.port = 0
        self.pids: list[int] = []
        self._defect = defect
        self._options = options
        self._process: asyncio.subprocess.Process
        self._starts = 0
        self._started = asyncio.Condition()

    @property
    def starts(self) -> int:
        """How often it came up."""
        return self._starts

    async def start(self, plan: Plan | None = None) -> bool:
        """False if it was killed before it listened."""
        with (self.data_dir / LOG_FILE).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.chaos.server", "--data-dir", str(self.data_dir)),
                *("--port", str(self.port), *self._options),
                env=self._environment(plan),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self.pids.append(self._process.pid)
        assert self._process.stdout is not None
        async with asyncio.timeout(BOUND_SECONDS):
            line = await self._process.stdout.readline()
        if not line:
            return False
        self.port = json.loads(line)["port"]
        async with self._started:
            self._starts += 1
            self._started.notify_all()
        return True

    def _environment(self, plan: Plan | None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
        return kept | {KILL_VARIABLE: str(plan or ""), DEFECT_VARIABLE: self._defect or ""}

    async def up_after(self, starts: int) -> None:
        """Return once it came up more often than `starts` times."""
        async with self._started:
            await self._started.wait_for(lambda: self._starts > starts)

    async def ended(self) -> int:
        """Its exit status; negative for the signal that killed it."""
        return await self._process.wait()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def stop(self) -> int:
        with suppress(ProcessLookupError):
            self._process.terminate()
        async with asyncio.timeout(BOUND_SECONDS):
            return await self.ended()

    def complaints(self) -> list[str]:
        """What it logged as an error, whatever became of it."""
        lines = (self.data_dir / LOG_FILE).read_text(errors="replace").splitlines()
        return [
            line
            for before, line in pairwise(["", *lines])
            # The driver's pool shows where it failed to fill itself up; what needs a connection says so by itself.
            if line.startswith(("ERROR", "CRITICAL", "Traceback"))
            and not before.startswith("WARNING:asyncpg")
        ]
