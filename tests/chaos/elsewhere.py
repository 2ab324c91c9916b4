"""A worker in a process of its own that reaches its servers over HTTP, and meets whatever a worker elsewhere meets."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final, Literal, get_args

from tests.chaos.pausing import pause
from tests.chaos.plan import KILL_VARIABLE, Plan, Point
from tests.chaos.process import BOUND_SECONDS, Servers
from tests.client.server import Wire, wire_to

LOG_FILE: Final = "worker.log"
# Longer than a lease, at times, and shorter than it.
AWAY_SECONDS: Final = (0.1, 2.0)
# Of a worker that has just been started, until something happens to it.
AT_WORK_SECONDS: Final = (0.2, 1.2)
# Points that a worker comes to, and how far into its life.
POINTS: Final[Sequence[Point]] = (
    "before_call",
    "mid_stream",
    "before_effect",
    "after_effect",
    "between_tools",
)
REACH: Final = 5

Fate = Literal["point", "kill", "sleep", "cut", "down"]
FATES: Final[tuple[Fate, ...]] = get_args(Fate)


class Elsewhere:
    """`done` are its fates, in their order. The last of its processes works on until it is cancelled."""

    def __init__(self, servers: Servers, data_dir: Path, random: Random, ttl_seconds: float) -> None:
        self.done: list[str] = []
        self._servers = servers
        self._data_dir = data_dir
        self._random = random
        self._ttl_seconds = ttl_seconds

    async def run(self, fates: int) -> None:
        await self._servers.up_after(0)
        for _ in range(fates):
            async with wire_to(f"http://127.0.0.1:{self._servers.port}") as wire:
                await self._live(wire, self._random.choice(FATES))
        async with wire_to(f"http://127.0.0.1:{self._servers.port}") as wire:
            await self._work(wire, None)

    async def _live(self, wire: Wire, fate: Fate) -> None:
        plan = Plan(self._random.choice(POINTS), self._random.randint(1, REACH)) if fate == "point" else None
        working = asyncio.create_task(self._work(wire, plan))
        try:
            if fate == "point":
                await asyncio.wait([working], timeout=BOUND_SECONDS / 10)
            else:
                await self._meet(wire, fate)
        finally:
            working.cancel()
            await asyncio.wait([working])
        self.done.append(f"worker {fate}")

    async def _meet(self, wire: Wire, fate: Fate) -> None:
        async with asyncio.timeout(BOUND_SECONDS):
            await wire.is_used.wait()
        await pause(self._random.uniform(*AT_WORK_SECONDS))
        match fate:
            case "sleep":
                self._signal(signal.SIGSTOP)
                await pause(self._random.uniform(*AWAY_SECONDS))
                self._signal(signal.SIGCONT)
            case "cut":
                wire.cut()
            case "down":
                wire.is_down = True
                wire.cut()
                await pause(self._random.uniform(*AWAY_SECONDS))
                wire.is_down = False
            case _:
                return
        # What it had in hand, and what it makes of it.
        await pause(self._random.uniform(*AT_WORK_SECONDS))

    async def _work(self, wire: Wire, plan: Plan | None) -> None:
        """Until it ends by itself. Whoever cancels this kills it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
        with (self._data_dir / LOG_FILE).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.chaos.worker", "--url", wire.url),
                *("--data-dir", str(self._data_dir), "--renew-seconds", str(self._ttl_seconds / 3)),
                env=kept | {KILL_VARIABLE: str(plan or "")},
                stderr=log,
            )
        try:
            await self._process.wait()
        finally:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)
