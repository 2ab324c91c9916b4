"""Turns what a terminal shows into a picture of it.

tmux capture-pane -e -p -t PANE | .venv/bin/python -m scripts.docs_pages.terminal TITLE > docs/images/NAME.svg
"""

import io
import re
import sys

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

# rich's pictures load their font from the network.
REMOTE_FONTS = re.compile(r"\s*@font-face \{.*?\}\n", re.DOTALL)


def picture(shown: str, title: str) -> str:
    lines = Text.from_ansi(shown.rstrip()).split(allow_blank=True)
    width = max(line.cell_len for line in lines)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    for line in lines:
        console.print(line, soft_wrap=True)
    # The id is derived from the content unless it is given, and would change with every colour.
    drawn = console.export_svg(title=title, theme=DIMMED_MONOKAI, unique_id="terminal")
    return REMOTE_FONTS.sub("\n", drawn).replace("Fira Code, ", "").replace("Fira Code,", "")


if __name__ == "__main__":
    sys.stdout.write(picture(sys.stdin.read(), sys.argv[1]))
