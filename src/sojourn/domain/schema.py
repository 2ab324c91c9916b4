"""A JSON value against a JSON Schema: of the keywords those that our own schemas of configurations use."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_WORDS: Final = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def check_schema(place: str, value: Json, schema: Mapping[str, Any]) -> None:
    """InvalidRequest, with the place of the field, for a value that the schema does not allow."""
    kind: str = schema["type"]
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise InvalidRequest(place, f"must be {_WORDS[kind]}")
    if "enum" in schema and value not in schema["enum"]:
        raise InvalidRequest(place, f"must be one of {', '.join(schema['enum'])}")
    match value:
        case dict():
            _check_object(place, value, schema)
        case list():
            _check_size(place, len(value), schema, "Items", "items")
            for index, item in enumerate(cast(list[Json], value)):
                check_schema(f"{place}.{index}", item, schema["items"])
        case str():
            _check_text(place, value, schema)
        case int() | float() if not isinstance(value, bool):
            low, high = schema.get("minimum"), schema.get("maximum")
            if (low is not None and value < low) or (high is not None and not value <= high):
                raise InvalidRequest(place, f"must be from {low} to {high}")
        case _:
            pass


def _check_object(place: str, value: Mapping[str, Json], schema: Mapping[str, Any]) -> None:
    known: Mapping[str, Any] = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    _check_size(place, len(value), schema, "Properties", "fields")
    for name in schema.get("required", ()):
        if name not in value:
            raise InvalidRequest(f"{place}.{name}", "is needed")
    for name, item in value.items():
        if name in known:
            check_schema(f"{place}.{name}", item, known[name])
        elif others is False:
            there = ", ".join(known) or "none"
            raise InvalidRequest(f"{place}.{name[:100]}", f"is unknown; there are {there}")
        elif isinstance(others, Mapping):
            check_schema(f"{place}.{name[:100]}", item, cast(Mapping[str, Any], others))


def _check_text(place: str, text: str, schema: Mapping[str, Any]) -> None:
    _check_size(place, len(text), schema, "Length", "characters")
    pattern = schema.get("pattern")
    if pattern is not None and re.search(pattern, text) is None:
        raise InvalidRequest(place, f"must match {pattern}")


def _check_size(place: str, size: int, schema: Mapping[str, Any], keyword: str, unit: str) -> None:
    low, high = schema.get(f"min{keyword}", 0), schema.get(f"max{keyword}")
    if size < low:
        raise InvalidRequest(place, f"must have at least {low} {unit}")
    if high is not None and size > high:
        raise InvalidRequest(place, f"must have at most {high} {unit}")
