"""From asynchronous Python to the same code that waits where it stands: token by token, comments and all."""

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from token import NAME, OP, STRING
from typing import Final

_RENAMED: Final[Mapping[str, str]] = {
    "AsyncClient": "Client",
    "AsyncGenerator": "Generator",
    "AsyncIterator": "Iterator",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "aclose": "close",
    "aclosing": "closing",
    "aiter_bytes": "iter_bytes",
    "anext": "next",
    "aread": "read",
    "asynccontextmanager": "contextmanager",
}
_DROPPED: Final = frozenset({"async", "await"})
_MODULE: Final = re.compile(r"\bsojourn\.client\.(\w+)")
_WORDS: Final[Mapping[str, str]] = {"asynchronous": "synchronous", "aclosing": "closing", "aclose": "close"}


def translate(text: str, twins: frozenset[str]) -> str:
    """`twins` are the modules of `sojourn.client` that have a synchronous one of the same name."""
    lines = text.splitlines(keepends=True)
    pieces: list[str] = []
    line, column = 1, 0
    for start, end, new in _changes(text):
        pieces.append(_between(lines, (line, column), start))
        pieces.append(new)
        line, column = end
        if not new and lines[line - 1][column : column + 1] == " ":
            column += 1
    pieces.append(_between(lines, (line, column), (len(lines) + 1, 0)))
    return _MODULE.sub(lambda found: _home(found, twins), "".join(pieces))


_Place = tuple[int, int]


def _changes(text: str) -> Iterator[tuple[_Place, _Place, str]]:
    """What stands where, and what is to stand there, in the order of the text."""
    brackets: list[bool] = []
    awaited = False
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        change: str | None = None
        if token.type == OP and token.string == "[":
            brackets.append(awaited)
            change = "" if awaited else None
        elif token.type == OP and token.string == "]":
            change = "" if brackets.pop() else None
        awaited = token.type == NAME and token.string == "Awaitable" and _is_subscript(token)
        if awaited or (token.type == NAME and token.string in _DROPPED):
            change = ""
        elif token.type == NAME:
            change = _RENAMED.get(token.string)
        elif token.type == STRING and token.string.startswith('"""'):
            change = _prose(token.string)
        if change is not None:
            yield token.start, token.end, change


def _is_subscript(token: tokenize.TokenInfo) -> bool:
    return token.line[token.end[1] :].startswith("[")


def _prose(docstring: str) -> str:
    """The code that a docstring shows is changed like the code around it."""
    plain = re.sub(r"\b(await|async(?= with| for| def)) ", "", docstring)
    return re.sub(r"\b\w+\b", lambda word: _WORDS.get(word[0], word[0]), plain)


def _between(lines: list[str], start: _Place, end: _Place) -> str:
    (first, left), (last, right) = start, end
    if first == last:
        return lines[first - 1][left:right]
    tail = lines[last - 1][:right] if last <= len(lines) else ""
    return "".join([lines[first - 1][left:], *lines[first : last - 1], tail])


def _home(found: re.Match[str], twins: frozenset[str]) -> str:
    return f"sojourn.client.sync.{found[1]}" if found[1] in twins else found[0]
