"""Processes of this machine, found and watched from outside."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# A process that is killed on a loaded machine takes its time; one that never ends takes for ever.
BOUND_SECONDS: Final = 60.0


def working_in(directory: Path) -> Sequence[int]:
    """The processes in a directory, which is given resolved; without the guards of programs."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
                if (entry / "cwd").readlink() == directory and words and b"guard.py" not in words:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


async def gone(pid: int) -> None:
    """Wait for the end of a process that need not be a child."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(watched, ended.set)
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(watched)
        os.close(watched)
