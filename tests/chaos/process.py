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
from random import Random
from typing import Final

from tests.chaos.pausing import pause
from tests.chaos.plan import DEFECT_VARIABLE, KILL_VARIABLE, Defect, Plan

BOUND_SECONDS: Final = 30.0
LOG_FILE: Final = "server.log"
RETRY_SECONDS: Final = 0.05


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
        self._is_listening = False
        self._started = asyncio.Condition()

    @property
    def starts(self) -> int:
        """How often it came up."""
        return self._starts

    async def start(self, plan: Plan | None = None) -> bool:
        """False if it was killed before it listened."""
        self._is_listening = False
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
            self._is_listening = True
            self._started.notify_all()
        return True

    def _environment(self, plan: Plan | None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
        return kept | {KILL_VARIABLE: str(plan or ""), DEFECT_VARIABLE: self._defect or ""}

    @property
    def is_up(self) -> bool:
        return self._starts > 0 and self._process.returncode is None and self._is_listening

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
        return complaints(self.data_dir)


def complaints(data_dir: Path) -> list[str]:
    """What servers there have logged as an error, whatever became of it."""
    lines = (data_dir / LOG_FILE).read_text(errors="replace").splitlines()
    return [
        line
        for before, line in pairwise(["", *lines])
        # The driver's pool shows where it failed to fill itself up; what needs a connection says so by itself.
        if line.startswith(("ERROR", "CRITICAL", "Traceback")) and not before.startswith("WARNING:asyncpg")
    ]


class Servers:
    """Several servers over one database, as clients meet them: whoever is up answers."""

    def __init__(self, servers: Sequence[Server], random: Random) -> None:
        self._servers = servers
        self._random = random

    @property
    def port(self) -> int:
        up = [server for server in self._servers if server.is_up] or [
            one for one in self._servers if one.port
        ]
        return self._random.choice(up).port

    @property
    def starts(self) -> int:
        return sum(server.starts for server in self._servers)

    async def up_after(self, starts: int) -> None:
        """Return once one of them came up since, or another one is there."""
        # A killed process is known to be gone a moment after its connections.
        await pause(RETRY_SECONDS)
        while self.starts <= starts and not any(server.is_up for server in self._servers):
            await pause(RETRY_SECONDS)
