"""Virtual environments for vendors' clients, which want other packages than the server's own tools do."""

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest


def interpreter_with(client: str, config: pytest.Config) -> Path:
    """An interpreter that has a requirement (`name==version`), in an environment that later runs find again."""
    assert config.cache is not None
    folder = config.cache.mkdir(f"{client.partition('=')[0]}-client")
    # Tests that run side by side, in processes of their own, want the same one.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / client).exists():
            _make(folder, client)
    return folder / "bin" / "python"


def _make(folder: Path, client: str) -> None:
    # Our own pip serves the other interpreter: to give it one of its own, and to compile what is never imported,
    # costs more than to install most clients.
    python = folder / "bin" / "python"
    make = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)]
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "-q"]
    for command in (make, [*pip, "install", "--no-compile", client]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"the vendor's client could not be installed: {done.stderr.strip()[-500:]}")
    (folder / client).touch()
