from typing import Any

import jsonschema
import pytest

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.schema import check_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["url"],
    "additionalProperties": False,
    "properties": {
        "url": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^h"},
        "headers": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
        "args": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
        "seconds": {"type": "number", "minimum": 1, "maximum": 9},
        "count": {"type": "integer", "minimum": 1},
        "sure": {"type": "boolean"},
        "way": {"type": "string", "enum": ["in", "out"]},
    },
}

RIGHT: list[Any] = [
    {"url": "h"},
    {"url": "hello", "headers": {"a": "b"}, "args": ["c", ""], "seconds": 1.5, "count": 7, "sure": False},
    {"url": "h", "way": "out", "seconds": 9},
]
WRONG: list[tuple[Any, str]] = [
    ([], "config"),
    ({}, "config.url"),
    ({"url": 1}, "config.url"),
    ({"url": ""}, "config.url"),
    ({"url": "height"}, "config.url"),
    ({"url": "x"}, "config.url"),
    ({"url": "h", "other": 1}, "config.other"),
    ({"url": "h", "headers": {"a": 1}}, "config.headers.a"),
    ({"url": "h", "headers": {"a": "", "b": ""}}, "config.headers"),
    ({"url": "h", "args": ["a", 2]}, "config.args.1"),
    ({"url": "h", "args": ["a", "b", "c"]}, "config.args"),
    ({"url": "h", "seconds": 0.5}, "config.seconds"),
    ({"url": "h", "seconds": 10}, "config.seconds"),
    ({"url": "h", "seconds": True}, "config.seconds"),
    ({"url": "h", "count": 1.5}, "config.count"),
    ({"url": "h", "sure": 1}, "config.sure"),
    ({"url": "h", "way": "up"}, "config.way"),
]


@pytest.mark.parametrize("value", RIGHT)
def test_what_json_schema_allows_is_taken(value: Any) -> None:
    jsonschema.validate(value, SCHEMA)
    check_schema("config", value, SCHEMA)


@pytest.mark.parametrize(("value", "place"), WRONG)
def test_what_json_schema_refuses_is_refused_with_its_place(value: Any, place: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, SCHEMA)
    with pytest.raises(InvalidRequest) as refusal:
        check_schema("config", value, SCHEMA)
    assert refusal.value.field == place
