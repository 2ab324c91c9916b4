"""The types of events that Everruns knows. A filter that names another is refused."""

from typing import Final

DELTAS: Final = frozenset({"output.message.delta", "reason.thinking.delta", "tool.output.delta"})

TYPES: Final = DELTAS | {
    "input.message",
    "output.message.started",
    "output.message.completed",
    "output.message.replaced",
    "turn.started",
    "turn.completed",
    "turn.failed",
    "turn.cancelled",
    "turn.sealed",
    "reason.started",
    "reason.completed",
    "reason.recovered",
    "reason.thinking.started",
    "reason.thinking.completed",
    "reason.item",
    "act.started",
    "act.completed",
    "tool.started",
    "tool.progress",
    "tool.completed",
    "tool.call_requested",
    "tool.call_repaired",
    "tool.hosted_call",
    "transcript.repaired",
    "llm.generation",
    "capability.usage",
    "session.started",
    "session.activated",
    "session.idled",
    "session.title.updated",
    "session.model.changed",
    "schedule.triggered",
    "task.created",
    "task.updated",
    "task.message.sent",
    "task.message.received",
    "context.compacting",
    "context.compacted",
    "context.compaction.skipped",
    "context.compaction.failed",
    "file.written",
    "budget.warning",
    "budget.paused",
    "budget.exhausted",
    "budget.resumed",
}


def is_known(type: str) -> bool:
    """Voice is a family of its own, of which there is never an event here."""
    return type in TYPES or type.startswith("voice.")
