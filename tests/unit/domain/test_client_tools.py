from typing import Any

import pytest

from sojourn.domain.agent import ClientTool
from sojourn.domain.client_tools import MAX_CLIENT_TOOLS, MAX_DESCRIPTION, check_client_tools
from sojourn.domain.errors import InvalidRequest

WHOLE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "enum": ["Bern", "Rome"], "description": "Where."},
        "days": {"type": ["integer", "null"], "minimum": 1},
        "tags": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/tag"}]}},
    },
    "$defs": {"tag": {"type": "object", "additionalProperties": False}},
    "required": ["city"],
}


def tool(name: str = "look", parameters: dict[str, Any] | None = None, description: str = "") -> ClientTool:
    return ClientTool(name=name, description=description, parameters=parameters or {})


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize("name", ["look", "a", "get_weather-2", "x" * 64])
def test_a_tool_that_every_provider_takes_is_accepted(name: str) -> None:
    check_client_tools("tools", [tool(name, WHOLE), tool("other")])


@pytest.mark.parametrize("name", ["", "two words", "dotted.name", "x" * 65, "naïve", "look\n"])
def test_a_name_that_a_provider_refuses_is_refused_here(name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_client_tools("tools", [tool("fine"), tool(name)])
    assert refused.value.field == "tools.1.name"


NO_SCHEMAS: list[tuple[dict[str, Any], str]] = [
    ({"type": "array"}, "type"),
    ({"type": ["object"]}, "type"),
    ({"properties": []}, "properties"),
    ({"properties": {"a": "string"}}, "properties.a"),
    ({"properties": {"a": {"type": "text"}}}, "properties.a.type"),
    ({"properties": {"a": {"type": [{}]}}}, "properties.a.type"),
    ({"properties": {"a": {"items": {"type": 7}}}}, "properties.a.items.type"),
    ({"anyOf": {}}, "anyOf"),
    ({"oneOf": [{}, 1]}, "oneOf.1"),
    ({"required": "a"}, "required"),
    ({"required": [1]}, "required"),
    ({"properties": {"a": {"enum": "b"}}}, "properties.a.enum"),
]


@pytest.mark.parametrize(("parameters", "field"), NO_SCHEMAS)
def test_what_is_no_schema_of_an_object_is_refused_at_its_place(
    parameters: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_client_tools("tools", [tool(parameters=parameters)])
    assert refused.value.field == f"tools.0.parameters.{field}"


@pytest.mark.parametrize(
    "tools",
    [
        [tool("look"), tool("look")],
        [tool(f"look-{index}") for index in range(MAX_CLIENT_TOOLS + 1)],
        [tool(description="d" * (MAX_DESCRIPTION + 1))],
        [tool(parameters={"description": "d" * 70_000})],
        [tool(parameters=nested(64))],
        [tool(parameters=nested(100_000))],
    ],
    ids=["twice", "many", "long", "large", "deep", "bottomless"],
)
def test_more_than_the_limits_allow_is_refused(tools: list[ClientTool]) -> None:
    with pytest.raises(InvalidRequest):
        check_client_tools("tools", tools)
