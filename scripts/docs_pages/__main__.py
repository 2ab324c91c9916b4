"""`scripts/docs` writes the pages; `scripts/docs --check` fails where a written page is not what the code makes."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from scripts.docs_pages import agents, api, commands, dialects, events, limits, picture, settings, states
from scripts.generated import command_line

ROOT: Final = Path(__file__).parents[2]

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/agents.md": agents.page,
    "docs/dialects.md": dialects.page,
    "docs/images/turn-states.svg": picture.draw,
    "docs/reference/api.md": api.page,
    "docs/reference/cli.md": commands.page,
    "docs/reference/events.md": events.page,
    "docs/reference/limits.md": limits.page,
    "docs/reference/settings.md": settings.page,
    "docs/reference/states.md": states.page,
}


def stale(root: Path) -> list[str]:
    """The pages under `root` that are not there, or not as the code makes them now."""
    return [name for name, make in PAGES.items() if _read(root / name) != make()]


def write(root: Path) -> None:
    for name, make in PAGES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(command_line("scripts/docs", sys.argv[1:], lambda: stale(ROOT), lambda: write(ROOT)))
