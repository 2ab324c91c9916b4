"""What Linux says about a process and its children."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, task.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time that the tree has used; a tick is 10 ms."""
    ticks = 0
    for each in tree(pid):
        # The command's name may hold spaces and brackets; the fields start after its last bracket.
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def busy_seconds() -> float:
    """What all processes of the machine have used, waiting left out."""
    user, nice, system, _, _, irq, softirq, *_ = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS


def rss_bytes(pid: int) -> int:
    """Resident memory of the tree; pages that its processes share count once for each."""
    return sum(_status(each, "VmRSS") * 1024 for each in tree(pid))


def catches(pid: int, signal: int) -> bool:
    """Whether the process has a handler for a signal, so that sending it does not kill."""
    return bool(_status(pid, "SigCgt", base=16) >> (signal - 1) & 1)


def _status(pid: int, name: str, base: int = 10) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1], base)
    return 0
