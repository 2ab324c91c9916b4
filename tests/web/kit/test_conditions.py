import pytest

from sojourn.web.kit.conditions import etag, expected_revision
from sojourn.web.kit.refusals import BadRequest
from tests.web.kit.requests import request_of


@pytest.mark.parametrize(
    ("value", "revision"),
    [(None, None), (b"*", None), (b'"3"', 3), (b"3", 3), (b' "0" ', 0), (b"9" * 18, 10**18 - 1)],
)
def test_a_condition_is_a_revision_or_any(value: bytes | None, revision: int | None) -> None:
    headers = [] if value is None else [(b"if-match", value)]
    assert expected_revision(request_of(headers=headers)) == revision


@pytest.mark.parametrize("value", [b"", b'W/"3"', b'"3', b'"x"', b"-1", b'"3", "4"', b"9" * 19, b"\xd9\xa3"])
def test_any_other_condition_is_refused(value: bytes) -> None:
    with pytest.raises(BadRequest, match="If-Match"):
        expected_revision(request_of(headers=[(b"if-match", value)]))


def test_a_tag_is_a_revision_in_quotes() -> None:
    assert etag(12) == (b"etag", b'"12"')
