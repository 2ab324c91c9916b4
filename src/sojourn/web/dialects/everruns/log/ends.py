"""How turns end: each with one last event of its own, and with the session idle."""

from collections.abc import Mapping
from typing import Final, Literal

from sojourn.domain import events as e
from sojourn.domain.kinds import Outcome
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import compaction, payloads
from sojourn.web.dialects.everruns.log.pen import Pen
from sojourn.web.dialects.everruns.wire.event import Data

# Turns that were stopped because going on would have been of no use, or too dear.
SEALED: Final[Mapping[Outcome, Literal["no_progress", "budget"]]] = {
    "no_progress": "no_progress",
    "budget": "budget",
}
SAID_BY_SEAL: Final[Mapping[str, str]] = {
    "no_progress": "The turn was stopped because it made no progress.",
    "budget": "The turn was stopped because its budget is used up.",
}
CANCEL_REQUEST: Final = "User requested to cancel the work."
CANCELLED: Final = "Work was cancelled by user."


def completed(pen: Pen, done: e.TurnCompleted) -> None:
    if done.reason in SEALED:
        _seal(pen, SEALED[done.reason], None)
        return
    turn = pen.turn
    data = _counted(pen) | {
        "turn_id": pen.turn_id,
        "status": "completed",
        "tool_call_count": turn.tools,
        "llm_call_count": turn.calls,
    }
    if turn.started_at is not None:
        data["duration_ms"] = payloads.millis(pen.stored.at - turn.started_at)
    if turn.last_message is not None:
        data["final_message_id"] = ids.text("message", turn.last_message)
        data["final_answer_preview"] = payloads.preview(turn.last_text)
    pen.say("turn.completed", data)
    _idle(pen)


def failed(pen: Pen, failure: e.TurnFailed) -> None:
    compaction.unfinished(pen, failure.error)
    if failure.reason in SEALED:
        _seal(pen, SEALED[failure.reason], failure.error)
        return
    _speak(pen, failure.error, failure.reason)
    _fail(pen, failure.error, failure.reason)
    _idle(pen)


def cancelled(pen: Pen, stopped: e.TurnCancelled) -> None:
    if stopped.reason in SEALED:
        _seal(pen, SEALED[stopped.reason], None)
        return
    pen.say("turn.cancelled", {"turn_id": pen.turn_id, "reason": stopped.reason, "usage": _usage(pen)})
    if stopped.by.kind == "human":
        request = payloads.message(pen.next_id(), "user", payloads.text_parts(CANCEL_REQUEST), pen.stored.at)
        pen.say("input.message", {"message": request})
        _speak(pen, CANCELLED, None)
    if pen.subject.fails_stopped:
        _fail(pen, CANCELLED, "cancelled")
    _idle(pen)


def _seal(pen: Pen, reason: Literal["no_progress", "budget"], detail: str | None) -> None:
    data = _counted(pen) | {"turn_id": pen.turn_id, "reason": reason}
    if detail is not None:
        data["detail"] = detail
    pen.say("turn.sealed", data)
    _speak(pen, SAID_BY_SEAL[reason], reason)
    if pen.subject.fails_stopped:
        _fail(pen, SAID_BY_SEAL[reason], reason)
    _idle(pen)


def _fail(pen: Pen, error: str, code: str) -> None:
    pen.say("turn.failed", {"turn_id": pen.turn_id, "error": error, "error_code": code})


def _speak(pen: Pen, text: str, code: str | None) -> None:
    """What the user is to read instead of an answer."""
    message = payloads.message(pen.next_id(), "agent", payloads.text_parts(text), pen.stored.at)
    message["phase"] = "final_answer"
    data: Data = {"message": message}
    if code is not None:
        data["error_code"] = code
    pen.say("output.message.completed", data)


def _idle(pen: Pen) -> None:
    pen.say("session.idled", _counted(pen) | {"turn_id": pen.turn_id})


def _counted(pen: Pen) -> Data:
    return {"iterations": pen.turn.calls, "usage": _usage(pen)}


def _usage(pen: Pen) -> Data:
    return payloads.usage(pen.turn.usage)
