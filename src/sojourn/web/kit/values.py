"""Checks of values that came from outside, beyond what a type can say."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json

MAX_DEPTH: Final = 64
_LONGEST_FIELD: Final = 200
_COMPLAINT = re.compile(r"(?P<problem>.*?)(?: - at (?:`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_NAMED = re.compile(r"Object (?:contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)


def invalid(error: msgspec.ValidationError) -> InvalidRequest:
    """msgspec's complaint as ours: the place is `tags.3` where msgspec says `$.tags[3]`."""
    found = _COMPLAINT.fullmatch(str(error))
    problem, path = (found["problem"], found["path"] or "") if found else (str(error), "")
    # msgspec leaves out which key of a map it was.
    path = path.replace("[...]", ".*")
    places = [path.replace("[", ".").replace("]", "").removeprefix(".")]
    if named := _NAMED.fullmatch(problem):
        places.append(named["name"])
        problem = "unknown field" if "unknown" in problem[:24] else "required"
    field = ".".join(place for place in places if place) or "body"
    return InvalidRequest(field[:_LONGEST_FIELD], problem[:_LONGEST_FIELD])


def refuse_nul(value: Json, field: str = "") -> None:
    """InvalidRequest where any text in a JSON value, keys included, holds a NUL: no database takes one."""
    for path, inner in walk(value, field):
        if isinstance(inner, str) and "\0" in inner:
            raise InvalidRequest(path or "body", "must not contain a NUL character")


def check_free_form(field: str, value: Mapping[str, Json], max_keys: int, max_bytes: int) -> None:
    """InvalidRequest unless an object of a client's own making is of bounded width, size and depth."""
    if not value:
        return
    if len(value) > max_keys:
        raise InvalidRequest(field, f"must not have more than {max_keys} keys")
    try:
        size = len(msgspec.json.encode(value))
    except RecursionError:
        raise _too_deep(field) from None
    if size > max_bytes:
        raise InvalidRequest(field, f"must not be larger than {max_bytes} bytes of JSON")
    if _is_deeper_than(value, MAX_DEPTH):
        raise _too_deep(field)


def _too_deep(field: str) -> InvalidRequest:
    return InvalidRequest(field, f"must not be nested deeper than {MAX_DEPTH} levels")


def walk(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Every text, number and so on of a JSON value, its keys included, with the path to it."""
    stack = [(path, value)]
    while stack:
        path, value = stack.pop()
        if not isinstance(value, dict | list):
            yield path, value
            continue
        for key, inner in _members(value):
            inner_path = (f"{path}.{key}" if path else str(key))[:_LONGEST_FIELD]
            yield inner_path, key
            stack.append((inner_path, inner))


def _is_deeper_than(value: Mapping[str, Json], depth: int) -> bool:
    level = list(value.values())
    for _ in range(depth):
        level = [inner for outer in level if isinstance(outer, dict | list) for _, inner in _members(outer)]
        if not level:
            return False
    return bool(level)


def _members(value: dict[str, Json] | list[Json]) -> Iterator[tuple[str | int, Json]]:
    return iter(value.items()) if isinstance(value, dict) else enumerate(value)
