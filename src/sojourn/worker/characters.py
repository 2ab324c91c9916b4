"""Whole characters: what a runner says may hold halves of some, which no log takes.

Models and programs send a text in pieces, and those that count in UTF-16 cut a character in two now and then.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

T = TypeVar("T")


async def said_whole(say: Callable[[T], Awaitable[None]], what: T) -> None:
    """Say something as it is, or with whole characters only where it cannot be said. Most texts are never looked at."""
    try:
        await say(what)
    except UnicodeEncodeError:
        # Whoever stores or sends it turns it into bytes first: nothing of it was said.
        await say(mended(what))


def mended(value: T) -> T:
    """The same with every two halves that belong together joined, and `\ufffd` for each other one."""
    return cast(T, _mended(value))


def _mended(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case tuple() | list():
            return tuple(_mended(one) for one in cast(tuple[Any, ...], value))
        case Mapping():
            return {_mended(name): _mended(one) for name, one in cast(Mapping[Any, Any], value).items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            changed = {one.name: _mended(getattr(value, one.name)) for one in fields(value)}
            return replace(value, **changed)
        case _:
            return value
