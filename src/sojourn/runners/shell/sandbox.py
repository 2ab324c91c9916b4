"""What a command is shut into: bubblewrap where it is installed and works, else the namespaces of util-linux.

Whether one works is tried, not guessed: kernels, containers and security modules forbid it each in their own way.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sojourn.domain.file import MAX_FILE_BYTES

WORK_BYTES: Final = 256 * 1024 * 1024
TMP_BYTES: Final = 64 * 1024 * 1024
# Of each process of a command, but for the number of them.
MEMORY_BYTES: Final = 1024 * 1024 * 1024
ADDRESS_BYTES: Final = 16 * 1024 * 1024 * 1024
FILE_BYTES: Final = 64 * 1024 * 1024
PROCESSES: Final = 128
OPEN_FILES: Final = 1_024

VARIABLES: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
}
_TREES: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS: Final = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/localtime")
_NOBODY: Final = "65534"
_NAMESPACES: Final = Path(__file__).with_name("namespaces.sh").read_text("utf-8")
_INSIDE: Final = Path(__file__).with_name("inside.sh").read_text("utf-8")

Wrap = Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """`wrap` makes of words those that run them within."""

    name: str
    wrap: Wrap

    def words(self, command: str, cpu_seconds: int) -> Sequence[str]:
        """To be started with the files on standard input, and 3 and 4 as `inside.sh` says."""
        limits = {
            "cpu": cpu_seconds,
            "data": MEMORY_BYTES,
            "as": ADDRESS_BYTES,
            "fsize": FILE_BYTES,
            "nproc": PROCESSES,
            "nofile": OPEN_FILES,
            "core": 0,
        }
        shell = "bash" if shutil.which("bash", path=VARIABLES["PATH"]) else "sh"
        limited = ("prlimit", *(f"--{name}={value}" for name, value in limits.items()), shell, "-c", command)
        return self.wrap(("sh", "-c", _INSIDE, "inside.sh", str(MAX_FILE_BYTES + 1), *limited))


def candidates(environment: Mapping[str, str], hidden: Path) -> Sequence[Sandbox]:
    """Those whose programs are on the server's PATH. `hidden` is covered where it lies among the system's programs."""
    path = environment.get("PATH", os.defpath)
    setpriv, bwrap, unshare = (shutil.which(name, path=path) for name in ("setpriv", "bwrap", "unshare"))
    if setpriv is None:
        return ()
    # A server that is root is nobody in there: the kernel counts root's processes for no limit, and of the system's
    # files root could read those that are nobody's business.
    drop = ("--reuid", _NOBODY, "--regid", _NOBODY, "--clear-groups") if os.geteuid() == 0 else ()
    before = (setpriv, *drop, "--pdeathsig", "KILL")
    covered = _covered(hidden)
    found: list[Sandbox] = []
    if bwrap is not None:
        found.append(Sandbox("bubblewrap", lambda words: (*before, bwrap, *_bubblewrap(covered), *words)))
    if unshare is not None:
        found.append(Sandbox("unshare", lambda words: (*before, unshare, *_unshare(covered), *words)))
    return found


def _covered(hidden: Path) -> str:
    place = hidden.resolve()
    return str(place) if place.is_dir() and any(place.is_relative_to(tree) for tree in _TREES) else ""


def _unshare(covered: str) -> Sequence[str]:
    return (
        *("--user", "--map-root-user", "--mount", "--pid", "--net", "--ipc", "--uts"),
        *("--fork", "--kill-child=KILL", "env", "-i"),
        *(f"{name}={value}" for name, value in VARIABLES.items()),
        *("sh", "-c", _NAMESPACES, "namespaces.sh", str(WORK_BYTES), str(TMP_BYTES), covered),
    )


def _bubblewrap(covered: str) -> Sequence[str]:
    words = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    words += ["--uid", "0", "--gid", "0", "--cap-drop", "ALL", "--hostname", "sandbox", "--clearenv"]
    for name, value in VARIABLES.items():
        words += ["--setenv", name, value]
    for tree in map(Path, _TREES):
        if tree.is_symlink():
            words += ["--symlink", str(tree.readlink()), str(tree)]
        elif tree.is_dir():
            words += ["--ro-bind", str(tree), str(tree)]
    words += ["--perms", "0755", "--dir", "/etc"]
    for place in _SETTINGS:
        words += ["--ro-bind-try", place, place]
    if covered:
        words += ["--size", "4096", "--tmpfs", covered, "--remount-ro", covered]
    words += ["--dev", "/dev", "--remount-ro", "/dev", "--proc", "/proc"]
    for place, size in (("/dev/shm", TMP_BYTES), ("/tmp", TMP_BYTES), ("/work", WORK_BYTES)):
        words += ["--size", str(size), "--tmpfs", place]
    return (*words, "--remount-ro", "/", "--chdir", "/work")
