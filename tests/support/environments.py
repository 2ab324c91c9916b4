"""Virtual environments for vendors' clients, which want other packages than the server's own tools do."""

import subprocess
import sys
from pathlib import Path

import pytest


def interpreter_with(client: str, config: pytest.Config) -> Path:
    """An interpreter that has a requirement (`name==version`), in an environment that later runs find again."""
    folder = config.cache.mkdir(f"{client.partition('=')[0]}-client")
    python = folder / "bin" / "python"
    if not (folder / client).exists():
        make = [sys.executable, "-m", "venv", "--clear", str(folder)]
        install = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install", client]
        for command in (make, install):
            done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                pytest.skip(f"the vendor's client could not be installed: {done.stderr.strip()[-500:]}")
        (folder / client).touch()
    return python
