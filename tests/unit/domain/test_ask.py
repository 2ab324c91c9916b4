from dataclasses import replace
from typing import Any

import pytest

from sojourn.domain.actor import Actor
from sojourn.domain.ask import Decision, as_allowed, client_result, denial, place_of, prompt_of
from sojourn.domain.content import ToolStatus
from sojourn.domain.events import AskDecided
from sojourn.domain.ids import AskId, uuid7
from sojourn.domain.kinds import Json
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


@pytest.mark.parametrize(
    ("answer", "by", "output"),
    [
        (None, SOMEBODY, "The call was denied."),
        ({"reason": "too dear"}, SOMEBODY, "The call was denied: too dear"),
        ("too dear", SOMEBODY, "The call was denied: too dear"),
        (None, TIME, "The call was denied: Nobody decided in time."),
    ],
)
def test_a_denied_call_is_an_error_that_says_why(answer: Json, by: Actor, output: str) -> None:
    decided = AskDecided(ask=AskId(uuid7()), decision="deny", answer=answer, by=by)
    result = denial(requested(), decided)
    assert (result.status, result.output) == ("error", output)


def test_an_allowed_call_has_the_arguments_that_were_allowed() -> None:
    tool = requested()
    as_it_was = AskDecided(ask=AskId(uuid7()), decision="allow", answer=None, by=SOMEBODY)
    edited = replace(as_it_was, answer={"arguments": {"at": "sea"}})
    assert as_allowed(tool, as_it_was) == tool
    assert as_allowed(tool, edited) == replace(tool, arguments='{"at": "sea"}')
    assert as_allowed(tool, replace(edited, decision="deny")) == tool


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
