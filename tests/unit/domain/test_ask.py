from typing import Any

import pytest

from sojourn.domain.ask import Decision, client_result, place_of, prompt_of
from sojourn.domain.content import ToolStatus
from sojourn.domain.events import Actor, AskDecided, Json
from sojourn.domain.ids import AskId, uuid7
from tests.unit.domain.make import SOMEBODY, requested

TIME = Actor("timeout")


@pytest.mark.parametrize(
    ("decision", "answer", "by", "status", "output"),
    [
        ("answer", "sunny", SOMEBODY, "done", "sunny"),
        ("answer", None, SOMEBODY, "done", ""),
        ("answer", {"sky": "ümber"}, SOMEBODY, "done", '{"sky": "ümber"}'),
        ("answer", [1, 2], SOMEBODY, "done", "[1, 2]"),
        ("answer", {"error": "no sky"}, SOMEBODY, "error", "no sky"),
        ("answer", {"error": 7}, SOMEBODY, "done", '{"error": 7}'),
        ("answer", {"error": "no", "sky": 1}, SOMEBODY, "done", '{"error": "no", "sky": 1}'),
        ("deny", None, SOMEBODY, "cancelled", ""),
        ("deny", {"reason": "not now"}, SOMEBODY, "cancelled", "not now"),
        ("deny", None, TIME, "cancelled", "Nobody decided in time."),
        ("allow", None, SOMEBODY, "cancelled", ""),
    ],
)
def test_a_decision_becomes_the_one_result_of_the_call_that_waited(
    decision: Decision, answer: Json, by: Actor, status: ToolStatus, output: str
) -> None:
    tool = requested(index=3)
    result = client_result(tool, AskDecided(ask=AskId(uuid7()), decision=decision, answer=answer, by=by))
    assert (result.call, result.index, result.id, result.name) == (tool.call, 3, tool.id, tool.name)
    assert (result.status, result.output) == (status, output)


def test_a_prompt_tells_the_call_that_it_is_about() -> None:
    tool = requested(index=2)
    prompt = prompt_of(tool, {"at": "sky"})
    assert prompt == {
        "tool_call_id": tool.id,
        "name": tool.name,
        "arguments": {"at": "sky"},
        "call": tool.call,
        "index": 2,
    }
    assert place_of(prompt) == (tool.call, 2)


@pytest.mark.parametrize("prompt", [{}, {"text": "?"}, {"call": 1}, {"call": "1", "index": 0}])
def test_a_prompt_about_no_call_tells_none(prompt: dict[str, Any]) -> None:
    assert place_of(prompt) is None
