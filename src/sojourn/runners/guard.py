"""Stands between the server and an agent's program: nothing that the program starts outlives the two of them.

`python guard.py CONTROL[,DESCRIPTOR…] WORD…` runs the words as a child, which gets the descriptors as 3, 4 and so on.
When the child ends, or nobody holds the other end of the pipe CONTROL any more (the server was killed, or closes it),
every descendant is killed, those in sessions of their own too: orphans become this process's children, so that it finds
them. It imports nothing but the standard library and starts in a few hundredths of a second.
"""

import ctypes
import fcntl
import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36
KILL_ROUND_SECONDS = 0.02


def main() -> int:
    control, *given = map(int, sys.argv[1].split(","))
    words = sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    os.set_inheritable(control, False)
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    # Without a handler it would be ignored, and would wake nobody.
    signal.signal(signal.SIGCHLD, told)
    given = [out_of_the_way(descriptor, len(given)) for descriptor in given]
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, 3 + index) for index, descriptor in enumerate(given)]
    # A group of its own: a Ctrl-C at the server's terminal is the server's business.
    child = os.posix_spawnp(words[0], words, os.environ, setpgroup=0, file_actions=actions)
    # Whoever writes to the child, or hears it, has to see its end when it goes.
    for descriptor in (0, 1, *given):
        os.close(descriptor)
    status = None
    while status is None:
        ready, _, _ = select.select([control, woken], [], [])
        if woken in ready:
            os.read(woken, 512)
        status = reap(child)
        if control in ready:
            break
    status = kill_all(child, status)
    return status if status >= 0 else 128 - status


def out_of_the_way(descriptor: int, count: int) -> int:
    """The same under a number that none of the child's `count` is to have."""
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3 + count)
    os.close(descriptor)
    return copy


def told(_number: int, _frame: FrameType | None) -> None:
    pass


def reap(child: int) -> int | None:
    """Collect what has ended; how the child did, if it is among that. Its own orphans end here too."""
    ended = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        if pid == child:
            ended = os.waitstatus_to_exitcode(status)


def kill_all(child: int, status: int | None) -> int:
    while True:
        for pid in descendants(child, status is None):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        ended = reap(child)
        status = ended if status is None else status
        if status is not None and not descendants(child, is_running=False):
            return status
        select.select([], [], [], KILL_ROUND_SECONDS)


def descendants(child: int, is_running: bool) -> list[int]:
    """Every process below this one. Where there is no /proc, the child's group stands for them."""
    if sys.platform != "linux":
        return [-child] if is_running else []
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(errors="replace")
            except OSError:
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    found: list[int] = []
    below = {os.getpid()}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below}
        found.extend(below)
    return found


if __name__ == "__main__":
    sys.exit(main())
