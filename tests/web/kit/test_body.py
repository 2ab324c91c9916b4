import io
from typing import Any

import msgspec
import pytest

from sojourn.domain.errors import InvalidRequest
from sojourn.web.kit.body import JsonBody, parse_json, read_body, spool_body
from sojourn.web.kit.refusals import BadRequest, BodyTooLarge, ClientGone
from tests.web.kit.requests import request_of


class Body(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    free: dict[str, Any] = {}


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    assert await read_body(request_of(messages=[part(b"12345")]), limit=5) == b"12345"
    assert await read_body(request_of(messages=[part(b"123", True), part(b"45")]), limit=5) == b"12345"


@pytest.mark.parametrize("length", [b"6", b"9" * 30, b"-1", b"five"])
async def test_an_announced_length_is_refused_before_a_byte_is_read(length: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(request_of(headers=[(b"content-length", length)]), limit=5)
    with pytest.raises(BodyTooLarge):
        await spool_body(request_of(headers=[(b"content-length", length)]), io.BytesIO(), limit=5)


async def test_a_body_in_pieces_is_refused_as_soon_as_it_is_too_long() -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(request_of(messages=[part(b"123", True), part(b"456", True)]), limit=5)


async def test_a_client_that_goes_within_its_body_has_sent_nothing() -> None:
    with pytest.raises(ClientGone):
        await read_body(request_of(messages=[part(b"123", True), {"type": "http.disconnect"}]), limit=5)


def test_an_empty_body_is_an_empty_object() -> None:
    assert JsonBody(Body).decode(b"") == Body()


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"name": "\xff"}', b'{"free": {"a": ' + b"[" * 10_000])
def test_what_is_no_json_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        JsonBody(Body).decode(body)
    with pytest.raises(BadRequest):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"name": 1}', "name"),
        (b'{"other": 1}', "other"),
        (b'{"name": "\\u0000"}', "name"),
        (b'{"free": {"a": {"b\\u0000": 1}}}', "free.a.b\0"),
        (b'{"free": {"a": [1, {"b": "x\\u0000"}]}}', "free.a.1.b"),
        (b"[]", "body"),
    ],
)
def test_a_wrong_value_names_its_field(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        JsonBody(Body).decode(body)
    assert refusal.value.field == field


def test_an_escaped_backslash_before_a_code_is_no_nul() -> None:
    assert JsonBody(Body).decode(b'{"name": "\\\\u0000"}').name == "\\u0000"
