"""Where frameworks put what they say, and events cut anywhere."""

from decimal import Decimal
from typing import Any

import pytest

from sojourn.domain.content import Usage
from sojourn.runners.http.answers import NoJson, Said, read_json, read_value
from sojourn.runners.http.app import AppFailed, Heard
from sojourn.runners.http.sse import EventReader, SentEvent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ({"result": "r"}, "r"),
        ({"response": {"text": "t"}}, "t"),
        ({"message": {"role": "assistant", "content": [{"text": "a"}, {"text": "b"}]}}, "ab"),
        ({"result": {"role": "assistant", "content": [{"text": "s"}]}}, "s"),
        ({"choices": [{"delta": {"content": "o"}}]}, "o"),
        ({"event": {"contentBlockDelta": {"delta": {"text": "c"}}}}, "c"),
        ({"result": None, "output": "o"}, "o"),
        ({"result": ""}, ""),
        ("a\0b", "a\ufffdb"),
        ({"init_event_loop": True}, None),
        (7, None),
        (None, None),
    ],
)
def test_a_text_is_found_where_frameworks_put_it(value: Any, text: str | None) -> None:
    assert read_value(value).text == text


def test_what_is_nested_without_end_has_no_text() -> None:
    value: Any = "deep"
    for _ in range(100):
        value = {"content": [value]}
    assert read_value(value).text is None


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"error": "no", "error_type": "E", "message": "An error occurred during streaming"}, "no"),
        ({"error": {"message": "inner"}}, "inner"),
        ({"error": {"code": 7}}, '{"code":7}'),
        ({"error": None, "result": "fine"}, None),
        ({"error": ""}, None),
    ],
)
def test_an_error_is_told_from_an_answer(value: Any, error: str | None) -> None:
    assert read_value(value).error == error


@pytest.mark.parametrize(
    ("value", "usage"),
    [
        (
            {"usage": {"input_tokens": 1, "output_tokens": 2, "cost_usd": 0.5}},
            Usage(1, 2, 0, 0, Decimal("0.5")),
        ),
        ({"metadata": {"usage": {"prompt_tokens": 1, "completion_tokens": 2}}}, Usage(1, 2)),
        ({"event": {"metadata": {"usage": {"inputTokens": 1, "outputTokens": 2}}}}, Usage(1, 2)),
        ({"usage": {"input_tokens": -1, "output_tokens": True, "cost_usd": "much"}}, Usage()),
        ({"usage": 7}, None),
        ([], None),
    ],
)
def test_usage_is_read_where_it_is_told(value: Any, usage: Usage | None) -> None:
    assert read_value(value).usage == usage


def test_a_text_that_a_stream_says_in_several_ways_is_heard_once() -> None:
    heard = Heard()
    values: list[Any] = [
        {"init_event_loop": True},
        {"event": {"contentBlockDelta": {"delta": {"text": "he"}}}},
        {"data": "he", "delta": {"text": "he"}},
        {"event": {"contentBlockDelta": {"delta": {"text": "y"}}}},
        {"data": "y", "delta": {"text": "y"}},
        {"event": {"metadata": {"usage": {"inputTokens": 4, "outputTokens": 2}}}},
        {"message": {"role": "assistant", "content": [{"text": "hey"}]}},
    ]
    assert [heard.take(value) for value in values] == ["", "he", "", "y", "", "", ""]
    assert heard.close() == ""
    assert (heard.text, heard.usage) == ("hey", Usage(4, 2))


def test_an_answer_without_a_text_is_given_as_it_is() -> None:
    heard = Heard()
    assert heard.take({"rows": [1, 2]}) == ""
    assert heard.close() == heard.text == '{"rows":[1,2]}'


def test_an_error_ends_what_is_heard() -> None:
    with pytest.raises(AppFailed, match="no"):
        Heard().take({"error": "no"})


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"NaN", b"[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(NoJson):
        read_json(data)


STREAM = b'data: "a"\n\n: beat\n\nevent: error\r\ndata: x\r\ndata: y\r\n\r\nid: 7\rdata:z\r\rdata: cut'


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_they_are_cut(size: int) -> None:
    reader = EventReader()
    found: list[SentEvent] = []
    for start in range(0, len(STREAM), size):
        found.extend(reader.feed(STREAM[start : start + size]))
    assert found == [SentEvent("", b'"a"'), SentEvent("error", b"x\ny"), SentEvent("", b"z")]


def test_a_value_says_nothing_of_itself_by_default() -> None:
    assert read_value({}) == Said()
