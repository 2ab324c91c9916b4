"""The closed sets of words that events and rows share."""

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]
else:
    # Decoders read the annotations of these classes and cannot follow an alias that contains itself.
    Json = Any

InputKind = Literal["message", "tool_result", "decision", "interrupt"]
Delivery = Literal["steer", "queue", "interrupt"]
RunnerKind = Literal["model", "acp", "http", "external"]
AskKind = Literal["approval", "client_tool", "question", "session"]
Outcome = Literal[
    "end_turn", "interrupted", "expired", "budget", "refused", "no_progress", "error", "superseded"
]
