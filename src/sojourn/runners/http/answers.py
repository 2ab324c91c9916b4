"""What an app's JSON says: its text, its errors, what it used up. Pure.

The contract leaves the shape of an answer to the app, so texts are found where frameworks put them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from sojourn.domain.content import Usage

# Where an object has its text, the first that is there.
_PLACES: Final = (
    "result",
    "response",
    "output",
    "output_text",
    "text",
    "delta",
    "data",
    "content",
    "message",
    "completion",
    "contentBlockDelta",
    "choices",
    "event",
)
_DEEPEST: Final = 12
_LONGEST_ERROR: Final = 1_000
_MOST_TOKENS: Final = 2**53

_INPUT: Final = ("input_tokens", "inputTokens", "prompt_tokens")
_OUTPUT: Final = ("output_tokens", "outputTokens", "completion_tokens")
_CACHE_READ: Final = ("cache_read_tokens", "cacheReadInputTokens", "cache_read_input_tokens")
_CACHE_WRITE: Final = ("cache_write_tokens", "cacheWriteInputTokens", "cache_creation_input_tokens")


class NoJson(Exception):
    """The bytes are not JSON that could be read."""


@dataclass(frozen=True, slots=True)
class Said:
    """One value of an answer: at most one of `text` and `error`. `place` is where in an object the text was found."""

    text: str | None = None
    place: str | None = None
    error: str | None = None
    usage: Usage | None = None


def read_json(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _read_halves(data)


def _read_halves(data: bytes) -> Any:
    """JSON that names half a character, as apps do that cut a text where UTF-16 lets them; the log joins the halves."""
    if b"\\ud" not in data.lower():
        raise NoJson
    try:
        return json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise NoJson from None


def _refuse(_constant: str) -> None:
    raise NoJson


def read_value(value: Any) -> Said:
    usage = _usage(value)
    error = _error(value)
    if error is not None:
        return Said(error=error, usage=usage)
    if isinstance(value, dict):
        for place, inner in _places(cast(dict[str, Any], value)):
            text = _text(inner, 1)
            if text is not None:
                return Said(plain(text), place, usage=usage)
        return Said(usage=usage)
    text = _text(value, 0)
    return Said(None if text is None else plain(text), usage=usage)


def whole(value: Any) -> str:
    """A value that no text was found in, as it is."""
    return plain(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def plain(text: str) -> str:
    """Without what a database cannot keep."""
    return text.replace("\0", "\ufffd")


def _places(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((place, value[place]) for place in _PLACES if place in value)


def _text(value: Any, depth: int) -> str | None:
    """None where there is no text; an empty text is one."""
    if isinstance(value, str):
        return value
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        texts = [_text(one, depth + 1) for one in cast(list[Any], value)]
        found = [text for text in texts if text is not None]
        return "".join(found) if found else None
    if isinstance(value, dict):
        for _, inner in _places(cast(dict[str, Any], value)):
            text = _text(inner, depth + 1)
            if text is not None:
                return text
    return None


def _error(value: Any) -> str | None:
    if not isinstance(value, dict):
        return None
    error: Any = cast(dict[str, Any], value).get("error")
    if not error:
        return None
    if isinstance(error, dict):
        error = cast(dict[str, Any], error).get("message") or cast(dict[str, Any], error)
    return plain((error if isinstance(error, str) else whole(error))[:_LONGEST_ERROR])


def _usage(value: Any) -> Usage | None:
    for path in (("usage",), ("metadata", "usage"), ("event", "metadata", "usage")):
        found: Any = value
        for name in path:
            found = cast(dict[str, Any], found).get(name) if isinstance(found, dict) else None
        if isinstance(found, dict):
            counts = cast(dict[str, Any], found)
            return Usage(
                _count(counts, _INPUT),
                _count(counts, _OUTPUT),
                _count(counts, _CACHE_READ),
                _count(counts, _CACHE_WRITE),
                _cost(counts.get("cost_usd")),
            )
    return None


def _count(counts: Mapping[str, Any], names: tuple[str, ...]) -> int:
    for name in names:
        value = counts.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS:
            return value
    return 0


def _cost(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        return None
    return Decimal(str(value))
