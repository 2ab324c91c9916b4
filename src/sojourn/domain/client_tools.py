"""What a client tool may be. Models and their providers refuse others, and do so in the middle of a turn."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sojourn.domain.agent import ClientTool
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json

# The names that every provider takes.
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_CLIENT_TOOLS: Final = 128
MAX_DESCRIPTION: Final = 10_000
MAX_PARAMETERS_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 64

_TYPES: Final = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_OF_SCHEMAS: Final = ("properties", "patternProperties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE: Final = ("items", "additionalProperties", "not", "if", "then", "else", "contains")


def check_client_tools(field: str, tools: Sequence[ClientTool]) -> None:
    """InvalidRequest, with the place below `field`, unless a provider can be expected to take the tools."""
    if len(tools) > MAX_CLIENT_TOOLS:
        raise InvalidRequest(field, f"must not have more than {MAX_CLIENT_TOOLS} tools")
    names: set[str] = set()
    for index, tool in enumerate(tools):
        place = f"{field}.{index}"
        if not NAME.fullmatch(tool.name):
            raise InvalidRequest(f"{place}.name", "must be 1 to 64 letters, digits, '_' and '-'")
        if tool.name in names:
            raise InvalidRequest(f"{place}.name", f"names {tool.name} a second time")
        names.add(tool.name)
        if len(tool.description) > MAX_DESCRIPTION:
            raise InvalidRequest(
                f"{place}.description", f"must not have more than {MAX_DESCRIPTION} characters"
            )
        _check_parameters(f"{place}.parameters", tool.parameters)


def _check_parameters(field: str, parameters: Mapping[str, Json]) -> None:
    try:
        size = len(json.dumps(parameters, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError:
        raise InvalidRequest(field, f"must not be nested deeper than {MAX_DEPTH} levels") from None
    if size > MAX_PARAMETERS_BYTES:
        raise InvalidRequest(field, f"must not be larger than {MAX_PARAMETERS_BYTES} bytes of JSON")
    if parameters.get("type", "object") != "object":
        raise InvalidRequest(f"{field}.type", "must be object")
    level: list[tuple[str, Json]] = [(field, dict(parameters))]
    for _ in range(MAX_DEPTH):
        level = [inner for place, schema in level for inner in _check_schema(place, schema)]
        if not level:
            return
    raise InvalidRequest(field, f"must not be nested deeper than {MAX_DEPTH} levels")


def _check_schema(place: str, schema: Json) -> Iterator[tuple[str, Json]]:
    """The schemas inside of `schema`; InvalidRequest if it is none."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise InvalidRequest(place, "must be a JSON Schema")
    _check_words(place, schema)
    for word in _OF_SCHEMAS:
        inner = schema.get(word, {})
        if not isinstance(inner, dict):
            raise InvalidRequest(f"{place}.{word}", "must be an object of schemas")
        yield from ((f"{place}.{word}.{name}", one) for name, one in inner.items())
    for word in _LISTS:
        several = schema.get(word, [])
        if not isinstance(several, list):
            raise InvalidRequest(f"{place}.{word}", "must be an array of schemas")
        yield from ((f"{place}.{word}.{index}", one) for index, one in enumerate(several))
    yield from ((f"{place}.{word}", schema[word]) for word in _SINGLE if word in schema)


def _check_words(place: str, schema: Mapping[str, Json]) -> None:
    types = schema.get("type", [])
    named = types if isinstance(types, list) else [types]
    if not all(isinstance(one, str) and one in _TYPES for one in named):
        raise InvalidRequest(f"{place}.type", "must be a type of JSON Schema")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise InvalidRequest(f"{place}.required", "must be an array of names")
    if not isinstance(schema.get("enum", []), list):
        raise InvalidRequest(f"{place}.enum", "must be an array")
