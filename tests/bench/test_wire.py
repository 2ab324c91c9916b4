import pytest

from bench.wire import Wire, field, request

ANSWER = (
    b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n" + b'{"id":"one"}'
)


class Recorder(Wire):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, bytes]] = []

    def answered(self, status: int, parts: list[bytes]) -> None:
        self.found.append((status, b"".join(parts)))


@pytest.mark.parametrize("size", [1, 3, 17, len(ANSWER)])
def test_an_answer_is_one_answer_however_the_network_cuts_it(size: int) -> None:
    wire = Recorder()
    twice = ANSWER * 2
    for start in range(0, len(ANSWER), size):
        wire.data_received(ANSWER[start : min(start + size, len(ANSWER))])
    assert wire.found == [(201, b'{"id":"one"}')]
    wire.data_received(twice[len(ANSWER) :])
    assert len(wire.found) == 2


def test_an_answer_without_content_ends_with_its_head() -> None:
    wire = Recorder()
    wire.data_received(b"HTTP/1.1 204 No Content\r\ndate: today\r\n\r\n")
    assert wire.found == [(204, b"")]


def test_an_answer_of_unknown_length_is_refused() -> None:
    with pytest.raises(ValueError, match="no content-length"):
        Recorder().data_received(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")


def test_a_request_says_the_length_of_its_body() -> None:
    head, _, body = request("POST", "/x", {"id": "ä"}, {"if-match": "1"}).partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert head.endswith(b"if-match: 1")
    assert field(body, "id") == "ä"
