"""Servers under measurement: each its own process, on a free loopback port, with a data directory of its own."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, cast

from bench import procfs
from bench.machine import ROOT
from bench.wire import HOST, TOKEN, connect, request

START_LIMIT_SECONDS: Final = 20.0
STOP_LIMIT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Counters:
    """What the server's store has done since it started."""

    statements: int
    commits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A running server. `prefix` is where its sessions (or the floor's rows) live."""

    name: str
    port: int
    pid: int
    data: Path
    prefix: str
    healthy_seconds: float

    @property
    def counters_path(self) -> Path:
        return self.data / "counters.json"

    def without_counters(self) -> str | None:
        """Why statements and commits cannot be told, or None if they can."""
        if procfs.catches(self.pid, signal.SIGUSR1):
            return None
        return f"{self.name} has no SIGUSR1 handler: statements and commits are not counted"

    async def counters(self) -> Counters | None:
        """Asks the server to write its counters and reads them; None without a handler."""
        if self.without_counters() is not None:
            return None
        self.counters_path.unlink(missing_ok=True)
        os.kill(self.pid, signal.SIGUSR1)
        for _ in range(400):
            if self.counters_path.exists():
                found = cast("dict[str, int]", json.loads(self.counters_path.read_text()))
                return Counters(found["statements"], found["commits"])
            await asyncio.sleep(0.005)
        raise TimeoutError(f"{self.name} did not write {self.counters_path}")


def _appending(log: Path) -> BinaryIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("ab")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _environment(port: int, data: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Ours alone: a setting from the caller's shell would change what is measured."""
    given = {f"SOJOURN_{name.upper()}": value for name, value in settings.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    ours = {
        "SOJOURN_HOST": HOST,
        "SOJOURN_PORT": str(port),
        "SOJOURN_DATA_DIR": str(data),
        "SOJOURN_DEFAULT_MODEL": "sim/echo",
        "SOJOURN_BOOTSTRAP_KEY": TOKEN,
        "SOJOURN_COUNTERS_FILE": str(data / "counters.json"),
    }
    return kept | ours | given


async def _healthy(port: int, process: asyncio.subprocess.Process) -> None:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline and process.returncode is None:
        try:
            caller = await connect(port)
            await caller.ask(request("GET", "/health"))
        except OSError:
            await asyncio.sleep(0.005)
        else:
            caller.close()
            return
    raise TimeoutError(f"not healthy; exit status {process.returncode}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_LIMIT_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _running(
    name: str,
    prefix: str,
    data: Path,
    arguments: list[str],
    settings: Mapping[str, str] = MappingProxyType({}),
) -> AsyncGenerator[Target]:
    port = _free_port()
    log = data / "server.log"
    command = [sys.executable, *(each.replace("{port}", str(port)) for each in arguments)]
    with _appending(log) as output:
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=_environment(port, data, settings), stdout=output, stderr=output
        )
    try:
        await _healthy(port, process)
        seconds = time.perf_counter() - started
        yield Target(name=name, port=port, pid=process.pid, data=data, prefix=prefix, healthy_seconds=seconds)
    except (OSError, TimeoutError) as error:
        error.add_note(log.read_text(errors="replace")[-2000:])
        raise
    finally:
        await _stop(process)


def sojourn(
    data: Path, settings: Mapping[str, str] = MappingProxyType({})
) -> AbstractAsyncContextManager[Target]:
    """`settings` are beside the usual ones, by their names without `SOJOURN_`."""
    return _running("sojourn", "/sojourn/v1/sessions", data, ["-m", "sojourn", "serve"], settings)


def floor(data: Path, batch: int = 1000) -> AbstractAsyncContextManager[Target]:
    """`batch` is how many waiting writers may share one fsync."""
    arguments = ["-m", "bench.floor", "--port", "{port}", "--data", str(data), "--batch", str(batch)]
    return _running("floor" if batch > 1 else "floor, own fsync", "/rows", data, arguments)
