"""How everything here looks: the console, words for instants and amounts, and text that cannot harm a terminal."""

import os
import sys
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import IO, TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sojourn.client import Activity, SessionStatus, Usage

# Wide enough that nothing is wrapped or cut for a program that reads the output.
_PIPE_COLUMNS: Final = 400

_BIDI: Final = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


_STATES: Final[Mapping[str, str]] = {
    "idle": "dim",
    "queued": "cyan",
    "starting": "cyan",
    "busy": "green",
    "waiting": "yellow",
    "retrying": "yellow",
    "completed": "dim",
    "failed": "red",
    "cancelled": "dim",
    "expired": "dim",
}


class Trouble(click.ClickException):
    """What went wrong, in one sentence, and how to mend it. The command ends with status 1."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def show(self, file: IO[str] | None = None) -> None:
        del file
        # Two lines, unwrapped: a command to copy must stay on its line.
        click.echo(f"{click.style('error', fg='red', bold=True)}  {printable(self.message)}", err=True)
        if self.remedy:
            click.echo(f"{click.style('try', fg='yellow', bold=True)}    {self.remedy}", err=True)


@cache
def console(*, stderr: bool = False) -> "Console":
    """Coloured on a terminal unless NO_COLOR is set, plain and unwrapped elsewhere."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_COLUMNS
    return Console(stderr=stderr, width=width, highlight=False, markup=True, emoji=False)


def json_line(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def print_json(*values: object) -> None:
    """One value a line."""
    for value in values:
        click.echo(json_line(value))


def listing() -> "Table":
    """An empty table, as lists are shown in."""
    from rich.table import Table

    return Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))


def state(status: "SessionStatus", activity: "Activity") -> "Text":
    """What a session is doing while it is open, how it ended afterwards."""
    from rich.text import Text

    word = activity if status == "open" else status
    return Text(f"● {word}", style=_STATES[word])


def styled(text: str, fg: str | None = None, *, dim: bool = False) -> str:
    """The text with the terminal's codes around it, unless NO_COLOR is set. For a terminal only."""
    return text if "NO_COLOR" in os.environ else click.style(text, fg=fg, dim=dim or None)


def printable(text: str) -> str:
    """The text without what could drive a terminal or turn its reading direction; an agent's words are not trusted.

    Such characters are shown as U+FFFD; line feeds and tabs stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join("\ufffd" if _is_harmful(character) else character for character in text)


def _is_harmful(character: str) -> bool:
    if character in "\n\t":
        return False
    return unicodedata.category(character) in {"Cc", "Cs"} or character in _BIDI


def one_line(text: str, limit: int = 200) -> str:
    """The text on one line, cut to `limit` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def ago(instant: datetime) -> str:
    """How long ago, in one unit: `4 s`, `3 min`, `2 h`, `5 d`."""
    passed = max(datetime.now(UTC) - instant, timedelta())
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if passed.total_seconds() >= unit:
            return f"{int(passed.total_seconds() // unit)} {name}"
    return f"{int(passed.total_seconds())} s"


def clock(instant: datetime) -> str:
    """The local time of day, to the millisecond."""
    local = instant.astimezone()
    return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def dollars(cost: Decimal | None) -> str:
    """A price with as many places as it takes to see it; a dash where it is not known."""
    if cost is None:
        return "-"
    if cost == 0:
        return "$0"
    return f"${cost:.4f}" if cost >= Decimal("0.0001") else f"${cost:.2g}"


def tokens(usage: "Usage") -> str:
    return f"{usage.input_tokens:,} in / {usage.output_tokens:,} out"
