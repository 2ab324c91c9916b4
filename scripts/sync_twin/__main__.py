"""`scripts/twin` writes the synchronous client; `scripts/twin --check` fails where the written one is out of date."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from scripts.generated import command_line
from scripts.sync_twin.translate import translate

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = Path("src/sojourn/client")
TARGET: Final = SOURCE / "sync"

# Everything else of the client waits for nothing, and serves both.
MODULES: Final = (
    "__init__",
    "budgets",
    "calls",
    "capabilities",
    "client",
    "exports",
    "files",
    "inputs",
    "keys",
    "lifetimes",
    "memories",
    "models",
    "orgs",
    "signals",
    "stream",
    "transport",
    "turn",
    "worker_calls",
    "worker_steps",
)
BY_HAND: Final = ("waits", "worker")


def make(root: Path) -> Mapping[str, str]:
    """The text of every generated file, by its path from the repository's root."""
    twins = frozenset(MODULES) | frozenset(BY_HAND)
    with TemporaryDirectory() as folder:
        for name in MODULES:
            source = SOURCE / f"{name}.py"
            first = f"# Made from {source.as_posix()} by scripts/twin; change that one.\n"
            text = first + translate((root / source).read_text(encoding="utf-8"), twins)
            (Path(folder) / f"{name}.py").write_text(text, encoding="utf-8")
        _tidy(root, Path(folder))
        return {
            (TARGET / f"{name}.py").as_posix(): (Path(folder) / f"{name}.py").read_text(encoding="utf-8")
            for name in MODULES
        }


def _tidy(root: Path, folder: Path) -> None:
    """Names that are not used any more, the order of imports, `yield from` and the line breaks are left to ruff."""
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--config", str(root / "pyproject.toml"), "--quiet", str(folder)]
    subprocess.run(
        [*ruff, "check", "--select", "I,F401,UP028", "--fix", "--unsafe-fixes", *config], check=True
    )
    subprocess.run([*ruff, "format", *config], check=True)


def stale(root: Path) -> list[str]:
    """The files that are not there, or not as they would be made now, or not of a module any more."""
    made = make(root)
    by_hand = {(TARGET / f"{name}.py").as_posix() for name in BY_HAND}
    there = {path.relative_to(root).as_posix() for path in (root / TARGET).glob("*.py")}
    changed = {
        name for name, text in made.items() if name in there and (root / name).read_text("utf-8") != text
    }
    return sorted(changed | (there ^ (made.keys() | by_hand)))


def write(root: Path) -> None:
    for name, text in make(root).items():
        (root / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(command_line("scripts/twin", sys.argv[1:], lambda: stale(ROOT), lambda: write(ROOT)))
