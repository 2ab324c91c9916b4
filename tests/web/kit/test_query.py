from typing import Annotated

import pytest
from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.kit.query import Query, parse_query
from sojourn.web.kit.refusals import BadRequest


class Wanted(Struct, forbid_unknown_fields=True):
    limit: Annotated[int, Meta(ge=1, description="how many")] = 20
    name: str | UnsetType = UNSET
    tag: Annotated[list[str], Meta(max_length=2)] = []
    with_: dict[str, str] = {}


QUERY = Query(Wanted, gathers="with_")


def test_parameters_are_decoded_and_gathered() -> None:
    read = QUERY.read(b"limit=7&name=a%20b+c%26&tag=x&&tag=&with_.k.l=%C3%A9&with_.m=")
    assert read == Wanted(7, "a b c&", ["x", ""], {"k.l": "é", "m": ""})


def test_nothing_asked_for_is_the_default() -> None:
    assert QUERY.read(b"") == Wanted()
    assert QUERY.read(b"&") == Wanted()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (b"limit=0", "limit"),
        (b"limit=+7", "limit"),
        (b"limit=0x7", "limit"),
        (b"limit=", "limit"),
        (b"limit", "limit"),
        (b"name=a&name=b", "name"),
        (b"tag=1&tag=2&tag=3", "tag"),
        (b"with_=x", "with_"),
        (b"with_.a=1&with_.a=2", "with_.a"),
        (b"other=1", "other"),
        (b"=1", None),
        (b"name=%ff", None),
        (b"name=%00", None),
        (b"%ff=1", None),
        (b"&".join([b"tag=x"] * 201), None),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(query: bytes, field: str | None) -> None:
    with pytest.raises(BadRequest) as refusal:
        QUERY.read(query)
    assert refusal.value.field == field


def test_a_parameter_that_must_be_there_is_asked_for() -> None:
    class Holder(Struct, forbid_unknown_fields=True):
        holder: str

    with pytest.raises(BadRequest, match="holder: required"):
        Query(Holder).read(b"")


def test_values_keep_their_order() -> None:
    assert parse_query(b"b=2&a=1&b=1") == {"b": ["2", "1"], "a": ["1"]}
