from typing import Any

import msgspec
import pytest

from sojourn.domain.errors import InvalidRequest
from sojourn.web.kit.values import MAX_DEPTH, check_free_form, invalid


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Inner | None = None
    many: list[Inner] = []
    named: dict[str, int] = {}


@pytest.mark.parametrize(
    ("value", "field", "problem"),
    [
        ({"inner": {"count": "1"}}, "inner.count", "Expected `int`, got `str`"),
        ({"inner": {}}, "inner.count", "required"),
        ({"many": [{"count": 1}, {"count": 1, "x": 2}]}, "many.1.x", "unknown field"),
        ({"named": {"a": "b"}}, "named.*", "Expected `int`, got `str`"),
        ([], "body", "Expected `object`, got `array`"),
        ({"x" * 5000: 1}, "x" * 200, "unknown field"),
    ],
)
def test_a_complaint_names_the_place_and_the_problem(value: Any, field: str, problem: str) -> None:
    with pytest.raises(msgspec.ValidationError) as complaint:
        msgspec.convert(value, Outer)
    error = invalid(complaint.value)
    assert (error.field, error.problem) == (field, problem)


def nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for level in range(levels - 1):
        value = [value] if level % 2 else {"k": value}
    return {"k": value}


def test_a_free_object_within_its_bounds_is_taken() -> None:
    check_free_form("metadata", nested(MAX_DEPTH), 1, 1000)
    check_free_form("metadata", {}, 0, 0)


@pytest.mark.parametrize("value", [nested(MAX_DEPTH + 1), nested(900), {"a": 1, "b": 2}, {"a": "x" * 1000}])
def test_a_free_object_beyond_its_bounds_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_free_form("metadata", value, 1, 1000)
    assert refusal.value.field == "metadata"
