"""How a conversation that became too long is summarised for the model."""

from typing import Final

from sojourn.domain import events as e
from sojourn.web.dialects.everruns.log import payloads
from sojourn.web.dialects.everruns.log.pen import Pen
from sojourn.web.dialects.everruns.wire.event import Data

STRATEGY: Final = "summarization"


def started(pen: Pen, _started: e.CompactionStarted) -> None:
    """How many messages it is about is known when it is done."""
    turn = pen.turn
    turn.compacting_at = pen.stored.at
    # Either the model has just refused the conversation, or the agent wants it shorter than it could be.
    reason = "request_too_large" if turn.abandoned else "proactive_budget"
    pen.say("context.compacting", {"reason": reason, "strategy": STRATEGY})


def completed(pen: Pen, done: e.CompactionCompleted) -> None:
    """The messages that it counts are those that the summary stands for."""
    turn = pen.turn
    begun, turn.compacting_at = turn.compacting_at or pen.stored.at, None
    data: Data = {
        "strategy_used": STRATEGY,
        "messages_before": done.messages,
        "messages_after": 1,
        "duration_ms": payloads.millis(pen.stored.at - begun),
    }
    pen.say("context.compacted", data)


def unfinished(pen: Pen, error: str) -> None:
    """Said with the failure of a turn whose summary was never made."""
    if pen.turn.compacting_at is not None:
        pen.say("context.compaction.failed", {"strategy": STRATEGY, "error": error})
