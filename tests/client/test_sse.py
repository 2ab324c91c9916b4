from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sojourn.client.sse import ServerEvent, SseDecoder

WIRE = (
    b": hb\n\n"
    b'id: 1\nevent: session.created\ndata: {"seq":1}\n\n'
    b'event: preview\r\ndata: {"text":"a\xe2\x80\xa8b"}\r\n\r\n'
    b"data: one\ndata: two\n\n"
    b"event: nothing\n\n"
)
EVENTS = [
    ServerEvent("session.created", b'{"seq":1}'),
    ServerEvent("preview", '{"text":"a\u2028b"}'.encode()),
    ServerEvent("message", b"one\ntwo"),
]


@given(st.lists(st.integers(0, len(WIRE))))
def test_events_come_out_the_same_wherever_the_stream_is_cut_into_chunks(cuts: list[int]) -> None:
    decoder = SseDecoder()
    edges = [0, *sorted(cuts), len(WIRE)]
    chunks = [WIRE[start:end] for start, end in pairwise(edges)]
    assert [event for chunk in chunks for event in decoder.feed(chunk)] == EVENTS


def test_an_event_that_is_cut_off_never_comes_out() -> None:
    decoder = SseDecoder()
    assert list(decoder.feed(b'event: turn.completed\ndata: {"seq":9}\n')) == []
