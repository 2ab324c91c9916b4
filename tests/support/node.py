"""Programs from npm, for tests that drive them."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

FETCH_SECONDS: Final = 300
# For a test that fetches a large one: the first run's network is no part of what it may take.
FETCHES: Final = pytest.mark.timeout(120 + FETCH_SECONDS)


def npm_folder(package: str, config: pytest.Config) -> Path:
    """A folder with a package (`name@version`) in its `node_modules`, which later runs find again."""
    npm = shutil.which("npm")
    if npm is None:
        if "CI" in os.environ:
            raise AssertionError("npm is not on the PATH")
        pytest.skip(f"{package} needs npm, and it is not on the PATH")
    assert config.cache is not None
    folder = config.cache.mkdir(package.replace("/", "-"))
    # Tests that run side by side, in processes of their own, want the same one.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "installed"
        if not done.exists():
            command = [
                npm,
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
                str(folder),
                package,
            ]
            tried = subprocess.run(
                command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
            )
            if tried.returncode:
                pytest.skip(f"{package} could not be installed: {tried.stderr.strip()[-500:]}")
            done.touch()
    return folder
