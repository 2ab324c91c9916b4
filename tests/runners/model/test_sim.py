"""The simulated model: it echoes, or plays the script that the last user text is."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.content import Message, TextPart, ToolCallPart
from sojourn.runners.model.client import FatalModelError, ModelAnswer, ModelRequest, TransientModelError
from sojourn.runners.model.sim import SimulatedModel
from tests.runners.model.conversation import asking, collect, said

SIM = SimulatedModel()


def playing(*steps: dict[str, Any], call: int = 1, faults: int = 0) -> ModelRequest:
    return replace(asking("sim/script", said(json.dumps(steps))), call=call, faults=faults)


async def answer(*steps: dict[str, Any], call: int = 1, faults: int = 0) -> ModelAnswer:
    return (await collect(SIM, playing(*steps, call=call, faults=faults)))[1]


@given(text=st.text(max_size=60))
async def test_echo_repeats_the_last_user_text_and_its_deltas_are_the_answer(text: str) -> None:
    before = (said("earlier"), Message("assistant", (TextPart("echo: earlier"),)))
    deltas, echoed = await collect(SIM, asking("sim/echo", *before, said(text)))
    assert echoed.text == f"echo: {text}" == "".join(deltas)
    assert "" not in deltas


async def test_echo_streams_a_word_a_delta() -> None:
    deltas, _ = await collect(SIM, asking("sim/echo", said("one  two\nthree ")))
    assert deltas == ["echo:", " one", "  two", "\nthree", " "]


async def test_every_answer_says_that_no_model_was_asked() -> None:
    for one in (await answer({"say": "hi"}), await answer({"call": {"name": "look"}})):
        assert (one.simulated, one.provider, one.model) == (True, "sim", "sim/script")
        assert one.usage.cost_usd is None


async def test_usage_counts_the_words_read_and_written() -> None:
    usage = (await collect(SIM, asking("sim/echo", said("one two three"))))[1].usage
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "[",
        '{"say": "hi"}',
        '["say"]',
        '[{"say": 1}]',
        '[{"say": "hi", "sleep": 1}]',
        '[{"sleep": -1}]',
        '[{"sleep": NaN}]',
        '[{"sleep": 3601}]',
        '[{"error": "odd"}]',
        '[{"call": {"arguments": {}}}]',
        '[{"dance": true}]',
        '[{"call": []}]',
        '[{"call": [{"name": "look"}, {}]}]',
        "[" * 100_000,
    ],
)
async def test_a_text_that_is_no_script_is_echoed(text: str) -> None:
    _, echoed = await collect(SIM, asking("sim/script", said(text)))
    assert echoed.text == f"echo: {text}"


async def test_a_script_is_not_played_by_echo() -> None:
    _, echoed = await collect(SIM, asking("sim/echo", said('[{"say": "hi"}]')))
    assert echoed.text == 'echo: [{"say": "hi"}]'


async def test_each_model_call_gets_the_next_answering_step() -> None:
    steps = (
        {"call": {"name": "look", "arguments": {"at": "sky"}}},
        {"call": {"name": "nod"}},
        {"say": "blue"},
    )
    answers = [await answer(*steps, call=call) for call in (1, 2, 3)]
    assert [one.tool_calls for one in answers] == [
        (ToolCallPart("sim-1", "look", '{"at": "sky"}'),),
        (ToolCallPart("sim-2", "nod", "{}"),),
        (),
    ]
    assert [one.text for one in answers] == ["", "", "blue"]
    assert [one.finish_reason for one in answers] == ["tool_call", "tool_call", "stop"]


async def test_a_list_of_calls_is_made_in_one_answer() -> None:
    steps = ({"call": [{"name": "look", "arguments": {"at": "sky"}}, {"name": "nod"}]}, {"say": "blue"})
    assert (await answer(*steps)).tool_calls == (
        ToolCallPart("sim-1-1", "look", '{"at": "sky"}'),
        ToolCallPart("sim-1-2", "nod", "{}"),
    )
    assert (await answer(*steps, call=2)).text == "blue"


async def test_arguments_given_as_text_are_passed_as_they_are() -> None:
    [call] = (await answer({"call": {"name": "look", "arguments": "{broken"}})).tool_calls
    assert call.arguments == "{broken"


@pytest.mark.parametrize(("steps", "call"), [((), 1), (({"say": "hi"},), 2), (({"say": "hi"},), 7)])
async def test_a_script_that_has_run_out_says_nothing_more(
    steps: tuple[dict[str, Any], ...], call: int
) -> None:
    deltas, last = await collect(SIM, playing(*steps, call=call))
    assert (deltas, last.text, last.tool_calls, last.finish_reason) == ([], "", (), "stop")


async def test_a_transient_error_fails_one_try_and_each_of_several_one_more() -> None:
    steps = ({"error": "transient"}, {"error": "transient"}, {"say": "at last"})
    for faults in (0, 1):
        with pytest.raises(TransientModelError) as raised:
            await answer(*steps, faults=faults)
        assert raised.value.retry_after_seconds == 0.0
    assert (await answer(*steps, faults=2)).text == "at last"


async def test_a_fatal_error_fails_every_try() -> None:
    for faults in (0, 5):
        with pytest.raises(FatalModelError):
            await answer({"error": "fatal"}, {"say": "never"}, faults=faults)


async def test_what_stands_before_an_answering_step_happens_in_its_call_only() -> None:
    steps = ({"say": "one"}, {"sleep": 0}, {"error": "fatal"}, {"say": "two"})
    assert (await answer(*steps, call=1)).text == "one"
    with pytest.raises(FatalModelError):
        await answer(*steps, call=2)


async def test_what_stands_after_the_last_answer_happens_in_one_more_call_if_there_is_one() -> None:
    with pytest.raises(FatalModelError):
        await answer({"say": "one"}, {"error": "fatal"}, call=2)
    assert (await answer({"say": "one"}, {"error": "fatal"}, call=3)).text == ""


async def test_a_sleep_is_slept_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("sojourn.runners.model.sim.asyncio.sleep", sleep)
    assert (await answer({"sleep": 1.5}, {"sleep": 2}, {"say": "awake"})).text == "awake"
    assert slept == [1.5, 2]
