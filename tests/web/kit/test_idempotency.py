from uuid import UUID

import pytest

from sojourn.domain.ids import KeyId
from sojourn.service.results import Repeat, Result
from sojourn.web.kit.idempotency import repeat, replayed
from sojourn.web.kit.refusals import BadRequest
from tests.web.kit.requests import request_of

KEY = KeyId(UUID(int=1))


def repeat_of(body: bytes, path: bytes = b"/things", key: bytes = b"k", query: bytes = b"") -> Repeat | None:
    request = request_of("POST", path, [(b"idempotency-key", key)], query=query)
    return repeat(request, KEY, "make_thing", body)


def test_without_the_header_nothing_is_repeatable() -> None:
    assert repeat(request_of("POST"), KEY, "make_thing", b"{}") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a": 1, "b": [1.0, "x"]}', b'{"b":[1.0,"\\u0078"],"a":1}'),
        (b"", b"{}"),
        (b'{"a": {"c": 1, "b": 2}}', b'{"a": {"b": 2, "c": 1}}'),
    ],
)
def test_the_same_json_is_the_same_request(one: bytes, other: bytes) -> None:
    assert repeat_of(one) == repeat_of(other)


def test_another_body_path_or_query_is_another_request() -> None:
    requests = [
        repeat_of(b'{"a":1}'),
        repeat_of(b'{"a":2}'),
        repeat_of(b'{"a":1}', b"/x"),
        repeat_of(b'{"a":1}', query=b"x"),
    ]
    assert len({request.request_hash for request in requests if request is not None}) == 4


@pytest.mark.parametrize("key", [b"", b" ", b"a b", b"\x7f", b"\xe9", b"x" * 256])
def test_a_key_that_is_not_visible_ascii_is_refused(key: bytes) -> None:
    with pytest.raises(BadRequest, match="Idempotency-Key"):
        repeat_of(b"", key=key)


def test_only_a_replay_is_marked_as_one() -> None:
    assert replayed(Result("x")) == ()
    assert replayed(Result("x", replayed=True)) == ((b"idempotent-replayed", b"true"),)
