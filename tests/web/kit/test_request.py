from starlette.types import Scope

from sojourn.web.kit.request import REST, Request, new_request_id
from tests.web.kit.requests import request_of


def test_every_request_has_an_id_of_its_own() -> None:
    ids = {new_request_id() for _ in range(1000)} | {request_of().id}
    assert len(ids) == 1001


def test_a_header_is_found_by_its_name_in_lower_case_and_the_last_counts() -> None:
    request = request_of(headers=[(b"x-a", b"1"), (b"x-b", b"\xe9"), (b"x-a", b"2")])
    assert (request.header(b"x-a"), request.header(b"x-b"), request.header(b"x-c")) == ("2", "é", None)


def test_blanks_around_a_header_are_no_part_of_it() -> None:
    request = request_of(headers=[(b"x-a", b" 1 2\t "), (b"x-b", b" ")])
    assert (request.header(b"x-a"), request.header(b"x-b")) == ("1 2", "")


def test_below_a_mount_a_request_is_what_follows_the_prefix() -> None:
    scope: Scope = {"method": "GET", "raw_path": b"/mount/x", "headers": [], "query_string": b"", REST: b""}
    assert Request(scope, request_of().receive).rest == b""
