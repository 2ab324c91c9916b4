"""Processes that have outlived the server that has started them."""

from pathlib import Path
from typing import Final

from tests.chaos.pausing import pause

# A guard kills its program as soon as it sees that its server is gone.
LOOKS: Final = 100
BETWEEN_SECONDS: Final = 0.05


async def orphans(directory: Path) -> list[str]:
    """The processes that work for a server in `directory`, none of which runs any more."""
    for _ in range(LOOKS):
        found = _running(directory)
        if not found:
            return []
        await pause(BETWEEN_SECONDS)
    return [f"process {pid} has outlived its server: {words}" for pid, words in _running(directory)]


def _running(directory: Path) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if entry.name.isdigit() and str(directory) in words and "program.py" in words:
            found.append((int(entry.name), words))
    return found
