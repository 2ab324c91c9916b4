"""Where and on what the measurements were made."""

import os
import platform
import sqlite3
import statistics
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("uvicorn", "uvloop", "httptools", "starlette", "msgspec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    filesystem: str
    fsync_ms: float
    load_average: float
    python: str
    sqlite: str
    parts: dict[str, str]
    commit: str
    measured_at: str


def describe(data: Path) -> Machine:
    """`fsync_ms` is the median of 50 four-kilobyte appends in the folder where the servers keep their data."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        kernel=platform.release(),
        filesystem=_filesystem(data),
        fsync_ms=_fsync_ms(data),
        load_average=os.getloadavg()[0],
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        parts={name: version(name) for name in PARTS},
        commit=_commit(),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(path: Path) -> str:
    """The type of the deepest mount that holds the path."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [(point, kind) for point, kind in mounts if path.resolve().is_relative_to(point)]
    return max(holding, key=lambda mount: len(mount[0]))[1]


def _fsync_ms(data: Path) -> float:
    path = data / "fsync"
    spent: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            spent.append((time.perf_counter() - started) * 1e3)
    path.unlink()
    return statistics.median(spent)


def _commit() -> str:
    """The revision, marked where files under src or bench differ from it."""
    revision = _git("rev-parse", "--short=12", "HEAD")
    return revision + (" with local changes" if _git("status", "--porcelain", "src", "bench") else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
