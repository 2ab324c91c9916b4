"""The command line of a script that writes files from the code."""

import sys
from collections.abc import Callable, Sequence


def command_line(
    script: str, arguments: Sequence[str], stale: Callable[[], Sequence[str]], write: Callable[[], None]
) -> int:
    """The exit code. `--check` writes nothing, and is 1 where a file is not what the code makes."""
    match arguments:
        case ["--check"]:
            found = stale()
            for name in found:
                print(f"{name} is out of date; run {script}", file=sys.stderr)
            return 1 if found else 0
        case []:
            write()
            return 0
        case _:
            print(f"usage: {script} [--check]", file=sys.stderr)
            return 2
