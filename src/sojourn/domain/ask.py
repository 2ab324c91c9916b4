"""Asks: questions that a turn waits for. Each has a deadline or waits until somebody decides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from sojourn.domain.content import ToolStatus
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.events import AskDecided, ToolCompleted, ToolRequested
from sojourn.domain.ids import AskId, TurnId
from sojourn.domain.kinds import AskKind, Json

AskStatus = Literal["open", "decided", "void"]
Decision = Literal["allow", "deny", "answer"]

# What may be decided of an ask, by its kind.
DECISIONS: Final[Mapping[AskKind, frozenset[Decision]]] = {
    "approval": frozenset({"allow", "deny"}),
    "client_tool": frozenset({"answer", "deny"}),
    "question": frozenset({"answer", "deny"}),
    # Only the session itself answers; whoever does not want to wait for it any more may say so.
    "session": frozenset({"deny"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question. It is `void` when its turn ended before anybody decided.

    `on_expire` is the decision taken for nobody at `expires_at`; the log then says `timeout`.
    """

    id: AskId
    turn: TurnId
    kind: AskKind
    prompt: Mapping[str, Json]
    created_at: datetime
    status: AskStatus = "open"
    expires_at: datetime | None = None
    on_expire: Decision = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsk:
    """A question that a runner has; None waits until somebody decides, however long that takes."""

    id: AskId
    kind: AskKind
    prompt: Mapping[str, Json]
    timeout_seconds: float | None = None
    on_expire: Decision = "deny"

    def opened(self, turn: TurnId, now: datetime) -> Ask:
        seconds = self.timeout_seconds
        return Ask(
            id=self.id,
            turn=turn,
            kind=self.kind,
            prompt=self.prompt,
            created_at=now,
            expires_at=None if seconds is None else now + timedelta(seconds=seconds),
            on_expire=self.on_expire,
        )


def prompt_of(tool: ToolRequested, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """The prompt of an ask about a tool call; `arguments` are what the model wrote, as an object."""
    return {
        "tool_call_id": tool.id,
        "name": tool.name,
        "arguments": dict(arguments),
        "call": tool.call,
        "index": tool.index,
    }


def place_of(prompt: Mapping[str, Json]) -> tuple[int, int] | None:
    """Call and index of the tool call that an ask is about, None if it is about none."""
    match prompt:
        case {"call": int(call), "index": int(index)}:
            return call, index
        case _:
            return None


def client_result(tool: ToolRequested, decided: AskDecided) -> ToolCompleted:
    """What a client's decision says of the tool call that it was to carry out.

    An answer is the output, and `{"error": text}` an error; whatever else was decided, nobody carried it out.
    """
    match decided.decision, decided.answer:
        case "answer", {"error": str(error), **others} if not others:
            return tool_result(tool, "error", error)
        case "answer", answer:
            return tool_result(tool, "done", text_of(answer))
        case _:
            return tool_result(tool, "cancelled", reason_of(decided))


def session_result(tool: ToolRequested, decided: AskDecided) -> ToolCompleted:
    """What the model that has started a session reads of its end."""
    match decided.answer if decided.decision == "answer" else None:
        case {"status": "completed", "text": str(text)}:
            return tool_result(tool, "done", text)
        case {"status": "cancelled"}:
            return tool_result(tool, "cancelled", "The session was cancelled.")
        case {"status": "failed", "error": str(error)}:
            return tool_result(tool, "error", f"The session failed: {error}")
        case {"status": "refused", "error": str(error)}:
            return tool_result(tool, "error", f"The session was not started: {error}")
        case {"status": str(status)}:
            return tool_result(tool, "error", f"The session was {status}.")
        case _:
            return tool_result(tool, "cancelled", reason_of(decided))


def denial(tool: ToolRequested, decided: AskDecided) -> ToolCompleted:
    """The result of a call that somebody has denied: the model must not take it for done."""
    reason = reason_of(decided)
    return tool_result(tool, "error", f"The call was denied: {reason}" if reason else "The call was denied.")


def as_allowed(tool: ToolRequested, decided: AskDecided) -> ToolRequested:
    """The call as it was allowed: with the arguments of the decision, if it has some."""
    match decided.decision, decided.answer:
        case "allow", {"arguments": dict() as arguments}:
            return replace(tool, arguments=json.dumps(arguments, ensure_ascii=False))
        case _:
            return tool


def reason_of(decided: AskDecided) -> str:
    """Why an ask was denied, as far as anybody said."""
    match decided.answer:
        case {"reason": str(reason)} | str(reason):
            return reason
        case _:
            return "Nobody decided in time." if decided.by.kind == "timeout" else ""


def text_of(answer: Json) -> str:
    """A text as it is, and anything else as JSON; null is an empty text."""
    if isinstance(answer, str):
        return answer
    return "" if answer is None else json.dumps(answer, ensure_ascii=False)


def tool_result(tool: ToolRequested, status: ToolStatus, output: str) -> ToolCompleted:
    return ToolCompleted(
        call=tool.call, index=tool.index, id=tool.id, name=tool.name, status=status, output=output
    )


def is_of_program(ask: Ask) -> bool:
    """Whether an agent's program asks, and offers answers of its own; the call is the program's, whoever decides."""
    return ask.kind == "approval" and "options" in ask.prompt


def check_option(prompt: Mapping[str, Json], decision: Decision, answer: Json) -> None:
    """InvalidRequest for an answer that the program does not offer, or that says something else than the decision."""
    match answer:
        case {"option": str(chosen)}:
            options = prompt.get("options")
            offered = [one for one in options if isinstance(one, dict)] if isinstance(options, list) else []
            kinds = [str(one.get("kind")) for one in offered if one.get("id") == chosen]
            if not kinds:
                raise InvalidRequest("answer.option", "must be the id of one of the ask's options")
            if kinds[0].startswith("allow") != (decision == "allow"):
                raise InvalidRequest("answer.option", f"is of kind {kinds[0]}, which is not to {decision}")
        case {"arguments": _}:
            raise InvalidRequest("answer.arguments", "the arguments of a program's own call cannot be edited")
        case _:
            return
