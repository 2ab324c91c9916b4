"""Searching texts with a regular expression that somebody else wrote.

A short expression can take for ever on a short line, and Python's matcher can be neither interrupted nor run beside
other threads. So it runs in a process of its own, with bounds on its time and memory, and is killed at their end.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from sojourn.domain.errors import InvalidRequest

SEARCH_SECONDS: Final = 5.0
MAX_PATTERN: Final = 1_000
MAX_SEARCHED_BYTES: Final = 16 * 1024 * 1024
MAX_MATCHES: Final = 1_000
MAX_LINE: Final = 1_000
# Searches at once; the next ones wait.
_AT_ONCE: Final = 2
_MEMORY_BYTES: Final = 1024 * 1024 * 1024
_CHILD: Final = Path(__file__).with_name("grep_child.py")


@dataclass(frozen=True, slots=True)
class Match:
    """`line` counts from 1; `text` is the line, cut where it is very long."""

    path: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """`truncated` says that there was more than is shown, or more to search than is searched at once."""

    matches: Sequence[Match]
    truncated: bool


class _Answer(msgspec.Struct):
    """`refused` says why the pattern is none."""

    matches: list[Match] = []
    truncated: bool = False
    refused: str | None = None


class Grep:
    def __init__(self, seconds: float = SEARCH_SECONDS) -> None:
        """`seconds` is how long one search may take."""
        self._seconds = seconds
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def search(self, pattern: str, texts: Sequence[tuple[str, str]]) -> Found:
        """The lines of each text, given with its path, in which `pattern` finds something.

        InvalidRequest for a pattern that is none, is too long, or does not come to an end.
        """
        if len(pattern) > MAX_PATTERN:
            raise InvalidRequest("pattern", f"must not be longer than {MAX_PATTERN} characters")
        bounds = {"seconds": self._seconds, "bytes": _MEMORY_BYTES, "matches": MAX_MATCHES, "line": MAX_LINE}
        order = msgspec.json.encode({"pattern": pattern, "texts": texts, "bounds": bounds})
        async with self._slots:
            output = await _ask_child(order, self._seconds)
        if output is None:
            raise InvalidRequest("pattern", f"takes more than {self._seconds:g} seconds, or too much memory")
        answer = msgspec.json.decode(output, type=_Answer)
        if answer.refused is not None:
            raise InvalidRequest("pattern", f"is not a regular expression: {answer.refused}")
        return Found(answer.matches, answer.truncated)


async def _ask_child(order: bytes, seconds: float) -> bytes | None:
    """What the child says; None if it came to no end."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", str(_CHILD), stdin=PIPE, stdout=PIPE, stderr=DEVNULL
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await child.communicate(order)
    except TimeoutError:
        return None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return output if child.returncode == 0 else None
