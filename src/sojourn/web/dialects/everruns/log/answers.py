"""Model calls and their answers.

An answer's `message.completed` stands in the log before the tool requests that Everruns shows as part of it. So it is
held back until something comes that is no part of it; what is then told has the sequences of `message.completed`.
"""

from sojourn.domain import events as e
from sojourn.domain.kinds import Json
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import payloads
from sojourn.web.dialects.everruns.log.pen import Pen
from sojourn.web.dialects.everruns.log.turn import Acting, Answer, Telling
from sojourn.web.dialects.everruns.wire.event import Data


def model_called(pen: Pen, called: e.ModelCalled) -> None:
    turn = pen.turn
    turn.calls, turn.message = called.call, called.message
    turn.called, turn.called_at = called, pen.stored.at
    turn.acting = Acting()
    turn.abandoned = False
    reason: Data = {
        "harness_id": ids.text("harness", pen.subject.harness),
        "agent_id": ids.text("agent", pen.subject.agent),
        "metadata": {"model": called.model},
    }
    pen.say("reason.started", reason)
    started: Data = {
        "turn_id": pen.turn_id,
        "message_id": ids.text("message", called.message),
        "iteration": called.call,
        "model": called.model,
    }
    pen.say("output.message.started", started)


def message_abandoned(pen: Pen, _abandoned: e.MessageAbandoned) -> None:
    """The call is made again, under the same number."""
    turn = pen.turn
    turn.called, turn.abandoned = None, True
    pen.say("reason.completed", _reasoned(pen, False, 0) | {"error": "The model did not answer."})


def thought_recorded(pen: Pen, thought: e.ThoughtRecorded) -> None:
    pen.say("reason.thinking.completed", {"turn_id": pen.turn_id, "thinking": thought.text})


def message_completed(pen: Pen, said: e.MessageCompleted) -> None:
    turn = pen.turn
    turn.answer = Answer(pen.stored, said)
    turn.last_message, turn.last_text = said.message, said.text


def model_completed(pen: Pen, completed: e.ModelCompleted) -> None:
    turn = pen.turn
    turn.usage = payloads.added(turn.usage, completed.usage)
    if turn.answer is not None:
        turn.answer.completed = completed


def tool_requested(pen: Pen, tool: e.ToolRequested) -> None:
    turn = pen.turn
    turn.tools += 1
    turn.acting.requested[tool.index] = tool
    if turn.answer is not None:
        turn.answer.tools.append(tool)


def usage_recorded(pen: Pen, recorded: e.UsageRecorded) -> None:
    pen.turn.usage = payloads.added(pen.turn.usage, recorded.usage)


def is_part_of(event: e.Event | None) -> bool:
    """Whether the event adds to an answer that is held back."""
    return isinstance(event, e.ModelCompleted | e.ToolRequested | e.UsageRecorded)


def tell(pen: Pen, answer: Answer) -> None:
    turn = pen.turn
    said, completed = answer.said, answer.completed
    if turn.called is None:
        # A runner that announces no model call: the message begins and ends at once.
        started: Data = {"turn_id": pen.turn_id, "message_id": ids.text("message", said.message)}
        pen.say("output.message.started", started)
    else:
        if completed is not None:
            pen.say("llm.generation", _generation(pen, answer, completed))
        pen.say("reason.completed", _reason_completed(pen, answer))
    pen.say("output.message.completed", _output(answer))


def close(turn: Telling) -> None:
    turn.answer = None
    turn.called = None


def _output(answer: Answer) -> Data:
    said, completed = answer.said, answer.completed
    content = payloads.text_parts(said.text)
    content.extend({"type": "tool_call"} | payloads.tool_call(tool) for tool in answer.tools)
    message = payloads.message(said.message, "agent", content, answer.stored.at)
    message["phase"] = "commentary" if answer.tools else "final_answer"
    data: Data = {"message": message}
    if completed is not None:
        data["metadata"] = {"model": completed.model}
        data["usage"] = payloads.usage(completed.usage)
    return data


def _reason_completed(pen: Pen, answer: Answer) -> Data:
    data = _reasoned(pen, not answer.said.interrupted, len(answer.tools))
    if answer.said.text:
        data["text_preview"] = payloads.preview(answer.said.text)
    if answer.said.interrupted:
        data["error"] = "The message was interrupted."
    if answer.completed is not None:
        data["usage"] = payloads.usage(answer.completed.usage)
    return data


def _reasoned(pen: Pen, is_success: bool, tools: int) -> Data:
    data: Data = {"success": is_success, "has_tool_calls": tools > 0, "tool_call_count": tools}
    if pen.turn.called_at is not None:
        data["duration_ms"] = payloads.millis(pen.stored.at - pen.turn.called_at)
    return data


def _generation(pen: Pen, answer: Answer, completed: e.ModelCompleted) -> Data:
    """`messages` is empty: the whole prompt at every call would grow as the square of the conversation."""
    output: Data = {"tool_calls": [payloads.tool_call(tool) for tool in answer.tools]}
    if answer.said.text:
        output["text"] = answer.said.text
    metadata: Data = {
        "model": completed.model,
        "provider": completed.provider,
        "success": True,
        "finish_reasons": [completed.finish_reason],
        "usage": payloads.usage(completed.usage),
    }
    if pen.turn.called_at is not None:
        metadata["duration_ms"] = payloads.millis(pen.stored.at - pen.turn.called_at)
    no_messages: list[Json] = []
    return {"messages": no_messages, "output": output, "metadata": metadata, "tools": []}
