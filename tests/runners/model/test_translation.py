import pytest
from pydantic_ai.messages import ModelRequest as TheirRequest
from pydantic_ai.messages import ToolReturnPart, UserPromptPart

from sojourn.domain.content import Message, TextPart, ToolCallPart, ToolResultPart, ToolStatus
from sojourn.runners.model.translation import outbound_messages, outbound_parameters
from tests.runners.model.conversation import asking, said


def results(status: ToolStatus, output: str) -> ToolReturnPart[object]:
    message = Message("tool", (ToolResultPart("t1", "weather", status, output),))
    (request,) = outbound_messages(asking("local/smollm2", message))
    (part,) = request.parts
    assert isinstance(part, ToolReturnPart)
    return part


@pytest.mark.parametrize(
    ("status", "output", "outcome", "content"),
    [
        ("done", "cold", "success", "cold"),
        ("done", "", "success", ""),
        ("error", "no such city", "failed", "no such city"),
        ("error", "", "failed", "error"),
        ("unknown", "", "interrupted", "unknown: worker lost"),
        ("cancelled", "", "interrupted", "cancelled"),
    ],
)
def test_a_result_that_did_not_come_from_the_tool_says_so(
    status: ToolStatus, output: str, outcome: str, content: str
) -> None:
    part = results(status, output)
    assert (part.outcome, part.content) == (outcome, content)


def test_what_stands_between_two_answers_is_one_request() -> None:
    called = Message("assistant", (ToolCallPart("t1", "a", "{}"), ToolCallPart("t2", "b", "{}")))
    first = Message("tool", (ToolResultPart("t1", "a", "done", "1"),))
    second = Message("tool", (ToolResultPart("t2", "b", "done", "2"),))
    history = outbound_messages(asking("local/smollm2", said("go"), called, first, second, said("and?")))
    assert [message.kind for message in history] == ["request", "response", "request"]
    last = history[-1]
    assert isinstance(last, TheirRequest)
    assert [type(part) for part in last.parts] == [ToolReturnPart, ToolReturnPart, UserPromptPart]


def test_no_instructions_are_no_empty_system_message() -> None:
    assert outbound_parameters(asking("local/smollm2")).instruction_parts is None


@pytest.mark.parametrize(
    "message",
    [
        Message("assistant", (ToolResultPart("t1", "a", "done", "1"),)),
        Message("user", (TextPart("hi"), ToolCallPart("t1", "a", "{}"))),
    ],
)
def test_a_part_in_the_wrong_mouth_is_refused(message: Message) -> None:
    with pytest.raises(ValueError, match="carries a tool"):
        outbound_messages(asking("local/smollm2", message))
