"""Query strings into typed values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final, Generic, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from msgspec import inspect

from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.values import invalid

T = TypeVar("T")

_MOST_PARAMETERS: Final = 200
_INTEGER: Final = re.compile(r"-?\d{1,19}", re.ASCII)


def parse_query(query: bytes) -> dict[str, list[str]]:
    """Every parameter with its values, in order; BadRequest for what is not percent-encoded UTF-8."""
    found: dict[str, list[str]] = {}
    if not query:
        return found
    pairs = query.split(b"&")
    if len(pairs) > _MOST_PARAMETERS:
        raise BadRequest(f"There are more than {_MOST_PARAMETERS} query parameters.")
    for pair in pairs:
        if pair:
            name, _, value = pair.partition(b"=")
            if not name:
                raise BadRequest("A query parameter has no name.")
            found.setdefault(_text(name), []).append(_text(value))
    return found


def _text(part: bytes) -> str:
    try:
        text = unquote_to_bytes(part.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise BadRequest("The query is not UTF-8.") from None
    if "\0" in text:
        raise BadRequest("The query contains a NUL character.")
    return text


class Query(Generic[T]):
    """Reads a query string into the struct `T`; what does not fit it is a BadRequest that names the parameter.

    A field that is a list may be repeated, any other may not. `gathers` names a field of type dict[str, str] that
    takes the parameters `<gathers>.<key>`.
    """

    def __init__(self, type: type[T], gathers: str | None = None) -> None:
        self._type = type
        self._gathers = gathers
        fields = {field.encode_name: tuple(_kinds(field.type)) for field in struct_info(type).fields}
        self._lists = _with(fields, inspect.ListType)
        self._integers = _with(fields, inspect.IntType)
        self._booleans = _with(fields, inspect.BoolType)
        self._defaults = (
            msgspec.convert({}, type) if not any(f.required for f in struct_info(type).fields) else None
        )

    def read(self, query: bytes) -> T:
        if not query and self._defaults is not None:
            return self._defaults
        given: dict[str, object] = {}
        gathered: dict[str, str] = {}
        for name, values in parse_query(query).items():
            key = self._gathered_key(name)
            if name not in self._lists and len(values) > 1:
                raise BadRequest("must not be repeated", name[:100])
            if name == self._gathers:
                raise BadRequest(f"must name a key, as in {name}.key", name)
            if key is not None:
                gathered[key] = values[0]
            elif name in self._lists:
                given[name] = values
            else:
                given[name] = self._plain(name, values[0])
        if self._gathers is not None:
            given[self._gathers] = gathered
        try:
            return msgspec.convert(given, self._type)
        except msgspec.ValidationError as error:
            complaint = invalid(error)
            # A parameter, not the place of a value among its repetitions.
            raise BadRequest(complaint.problem, complaint.field.partition(".")[0]) from None

    def _gathered_key(self, name: str) -> str | None:
        if self._gathers is None:
            return None
        prefix, dot, key = name.partition(".")
        return key if dot and prefix == self._gathers else None

    def _plain(self, name: str, value: str) -> str | int | bool:
        # Only what is plainly a number or a boolean; the rest fails as the text it is.
        if name in self._booleans:
            return _BOOLEANS.get(value, value)
        return int(value) if name in self._integers and _INTEGER.fullmatch(value) else value


_BOOLEANS: Final = {"true": True, "false": False}


def _kinds(kind: inspect.Type) -> Iterator[inspect.Type]:
    """A type that carries a description is wrapped in it, and one that may be absent is one of several."""
    match kind:
        case inspect.Metadata():
            yield from _kinds(kind.type)
        case inspect.UnionType():
            for one in kind.types:
                yield from _kinds(one)
        case _:
            yield kind


def _with(fields: Mapping[str, Sequence[inspect.Type]], wanted: type[inspect.Type]) -> frozenset[str]:
    return frozenset(
        name for name, kinds in fields.items() if any(isinstance(kind, wanted) for kind in kinds)
    )


# An application asks for each of its structs many times while it is put together, and a struct never changes.
@cache
def struct_info(type: type) -> inspect.StructType:
    info = inspect.type_info(type)
    assert isinstance(info, inspect.StructType)
    return info
