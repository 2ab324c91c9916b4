"""A transcript as opencode's messages, which are what Membrane's readers take. Pure.

Source: npm `@opencode-ai/sdk` (UserMessage, AssistantMessage, Part). An answer is one message per model call, from
its `step-start` to its `step-finish`.
"""

from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
from msgspec import UNSET

from sojourn.domain.content import Usage
from sojourn.domain.ids import MessageId, SessionId
from sojourn.domain.transcript import Answered, Said, ToolUse, Transcript
from sojourn.web.dialects.membrane import wire
from sojourn.web.dialects.membrane.inbound import ATTACHMENT

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TOKENS: Final = wire.Tokens(cache=wire.Cache())


def messages(
    session: SessionId, transcript: Transcript, partial: tuple[MessageId, str] | None
) -> list[wire.Message]:
    """What was said, in the order of delivery, and behind it what waits to be read.

    `partial` is the text so far of an answer that is being written.
    """
    shown = [
        _said(session.hex, entry) if isinstance(entry, Said) else _answered(session.hex, entry, partial)
        for entry in transcript.entries
    ]
    return shown + [_said(session.hex, waiting) for waiting in transcript.waiting.values()]


def _said(session: str, said: Said) -> wire.Message:
    id = _message_id(said.id)
    info = wire.Info(id=id, role="user", session_id=session, time=wire.Time(_millis(said.at)))
    parts = _Parts(session, id)
    for part in said.content:
        # A message that nobody typed, and what was attached to one that somebody did.
        is_synthetic = said.by.kind != "human" or part.text.startswith(ATTACHMENT)
        parts.add("text", text=part.text, synthetic=True if is_synthetic else UNSET)
    return wire.Message(id, "user", info, parts.parts)


def _answered(session: str, answer: Answered, partial: tuple[MessageId, str] | None) -> wire.Message:
    id = _message_id(answer.id)
    text = partial[1] if partial is not None and partial[0] == answer.id else answer.text
    end = UNSET if answer.completed_at is None else _millis(answer.completed_at)
    provider, _, model = (answer.model or "").rpartition("/")
    info = wire.Info(
        id=id,
        role="assistant",
        session_id=session,
        time=wire.Time(_millis(answer.at), end),
        parent_id="" if answer.parent is None else _message_id(answer.parent),
        model_id=model,
        provider_id=answer.provider or provider,
        mode="build",
        path=wire.MessagePath(),
        cost=_cost(answer.usage),
        tokens=_tokens(answer.usage),
        error=_error(answer),
    )
    parts = _Parts(session, id)
    parts.add("step-start")
    if text:
        parts.add("text", text=text, time=wire.Span(_millis(answer.at), end))
    for tool in answer.tools.values():
        parts.add("tool", call_id=tool.id, tool=tool.name, state=_tool_state(tool))
    if answer.completed_at is not None:
        reason = "interrupted" if answer.interrupted else answer.finish_reason or "stop"
        parts.add("step-finish", reason=reason, cost=_cost(answer.usage), tokens=_tokens(answer.usage))
    return wire.Message(id, "assistant", info, parts.parts)


class _Parts:
    """The parts of one message. Their ids are their places, so the same message has the same ones."""

    def __init__(self, session: str, message: str) -> None:
        self._session = session
        self._message = message
        self.parts: list[wire.MessagePart] = []

    def add(self, type: Any, **fields: Any) -> None:
        id = f"prt_{self._message.removeprefix('msg_')}_{len(self.parts)}"
        part = wire.MessagePart(
            id=id, session_id=self._session, message_id=self._message, type=type, **fields
        )
        self.parts.append(part)


def _tool_state(tool: ToolUse) -> wire.ToolState:
    given = _arguments(tool.arguments)
    start = _millis(tool.started_at or tool.requested_at)
    if tool.status is None:
        if tool.started_at is None:
            return wire.ToolState(status="pending", input=given)
        return wire.ToolState(status="running", input=given, title=tool.name, time=wire.Span(start))
    end = _millis(tool.completed_at or tool.requested_at)
    span = wire.Span(min(start, end), end)
    if tool.status == "done":
        return wire.ToolState(
            status="completed", input=given, title=tool.name, output=tool.output, metadata={}, time=span
        )
    return wire.ToolState(status="error", input=given, title=tool.name, error=tool.output, time=span)


def _arguments(text: str) -> dict[str, Any]:
    """The arguments as an object; a model may write anything."""
    try:
        value: Any = msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return {"raw": text}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"value": value}


def _error(answer: Answered) -> Any:
    if answer.error is not None:
        return {"name": "UnknownError", "data": {"message": answer.error}}
    if answer.interrupted:
        return {"name": "MessageAbortedError", "data": {"message": "The answer was interrupted."}}
    return UNSET


def _cost(usage: Usage | None) -> float:
    return 0 if usage is None or usage.cost_usd is None else float(usage.cost_usd)


def _tokens(usage: Usage | None) -> wire.Tokens:
    if usage is None:
        return _NO_TOKENS
    cache = wire.Cache(usage.cache_read_tokens, usage.cache_write_tokens)
    return wire.Tokens(cache=cache, input=usage.input_tokens, output=usage.output_tokens)


def _message_id(id: Any) -> str:
    return f"msg_{id.hex}"


def _millis(instant: datetime) -> int:
    return round((instant - _EPOCH).total_seconds() * 1000)
