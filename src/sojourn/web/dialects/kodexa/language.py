"""Kodexa's filter language, in both of its spellings, as comparisons joined by `and` and `or`. Pure.

The guide's spelling is RSQL's: `==`, `=like=`, `=in=(…)`, `is null`, `;` for and, `,` for or. The shipped client
writes an older one: `field: 'v'`, `field='v'`, `AND`. `and` binds tighter than `or`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from sojourn.domain.filter import All, AnyOf, Filter
from sojourn.web.kit.refusals import BadRequest

Op = Literal["eq", "ne", "lt", "le", "gt", "ge", "like", "in", "is_null", "not_null"]
Value = str | int | float | bool

MAX_COMPARISONS: Final = 100
MAX_VALUES: Final = 500
MAX_DEPTH: Final = 32

_OPERATORS: Final[dict[str, Op]] = {
    "==": "eq",
    "=": "eq",
    ":": "eq",
    "!=": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
    "=like=": "like",
    "=in=": "in",
}
# Each alternative begins with another character than the rest of its loop, so no text makes this slow.
_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.)*")
        |(?P<operator>=like=|=in=|[=!<>]=|[=:<>])
        |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))
        |(?P<word>[A-Za-z_][\w-]*(?:\.[\w-]+)*)
        |(?P<mark>[();,])
    )""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(.)|''", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`values` is empty for `is_null` and `not_null`, and of one value but for `in`."""

    field: str
    op: Op
    values: tuple[Value, ...]


def read(texts: Iterable[str], compare: Callable[[Comparison], Filter]) -> list[Filter]:
    """The filters that texts stand for; `compare` gives the meaning of each comparison in them.

    Their comparisons and values are counted together: all of them end up in one statement.
    """
    counts = _Counts()
    return [_Parser(_tokens(text), compare, counts).whole() for text in texts]


def unreadable(problem: str) -> BadRequest:
    return BadRequest(problem, "filter")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    def is_word(self, word: str) -> bool:
        return self.kind == "word" and self.text.lower() == word


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None or found.lastgroup is None:
            raise unreadable(f"cannot be read from character {position + 1} on")
        tokens.append(_Token(found.lastgroup, found[found.lastgroup]))
        position = found.end()
    return tokens


@dataclass(slots=True)
class _Counts:
    comparisons: int = 0
    values: int = 0


class _Parser:
    def __init__(
        self, tokens: list[_Token], compare: Callable[[Comparison], Filter], counts: _Counts
    ) -> None:
        self._tokens = tokens
        self._at = 0
        self._compare = compare
        self._depth = 0
        self._counts = counts

    @property
    def next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def whole(self) -> Filter:
        found = self._either()
        if self.next is not None:
            raise unreadable(f"{self.next.text} stands where nothing more was expected")
        return found

    def _either(self) -> Filter:
        parts = [self._both()]
        while self._skip("or", ","):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self) -> Filter:
        parts = [self._one()]
        while self._skip("and", ";"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self) -> Filter:
        if not self._skip_mark("("):
            return self._comparison()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise unreadable(f"must not be nested deeper than {MAX_DEPTH} levels")
        inner = self._either()
        self._expect_mark(")")
        self._depth -= 1
        return inner

    def _comparison(self) -> Filter:
        self._counts.comparisons += 1
        if self._counts.comparisons > MAX_COMPARISONS:
            raise unreadable(f"must not have more than {MAX_COMPARISONS} comparisons")
        field = self._take("word", "a field").text
        if self._skip("is"):
            op: Op = "not_null" if self._skip("not") else "is_null"
            if not self._skip("null"):
                raise unreadable(f"null was expected behind {field} is")
            return self._compare(Comparison(field, op, ()))
        op = _OPERATORS[self._take("operator", f"an operator behind {field}").text]
        values = self._list() if op == "in" else (self._value(),)
        return self._compare(Comparison(field, op, values))

    def _list(self) -> tuple[Value, ...]:
        self._expect_mark("(")
        values = [self._value()]
        while self._skip_mark(","):
            values.append(self._value())
        self._expect_mark(")")
        return tuple(values)

    def _value(self) -> Value:
        self._counts.values += 1
        if self._counts.values > MAX_VALUES:
            raise unreadable(f"must not have more than {MAX_VALUES} values")
        if self._skip("true"):
            return True
        if self._skip("false"):
            return False
        if self.next is not None and self.next.kind == "number":
            return _number(self._take("number", "a number").text)
        quoted = self._take("text", "a quoted text, a number, true or false").text
        return _ESCAPE.sub(lambda found: found[1] or "'", quoted[1:-1])

    def _skip(self, *words: str) -> bool:
        """Whether the next token is one of the words, in any case, or marks; if so it is passed."""
        token = self.next
        if token is None or not any(
            token.is_word(word) or (token.kind, token.text) == ("mark", word) for word in words
        ):
            return False
        self._at += 1
        return True

    def _skip_mark(self, mark: str) -> bool:
        return self._skip(mark)

    def _expect_mark(self, mark: str) -> None:
        if not self._skip(mark):
            raise unreadable(f"{mark} was expected")

    def _take(self, kind: str, wanted: str) -> _Token:
        token = self.next
        if token is None or token.kind != kind:
            found = "the end" if token is None else token.text[:100]
            raise unreadable(f"{wanted} was expected instead of {found}")
        self._at += 1
        return token


def _number(text: str) -> int | float:
    """A number that a database can hold."""
    try:
        number = float(text) if set(text) & set(".eE") else int(text)
    except ValueError:
        raise unreadable("has a number that is too long") from None
    if abs(number) >= 2**63:
        raise unreadable(f"has a number that is too large: {text[:50]}")
    return number
