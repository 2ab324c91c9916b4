"""Tools: those that run here, and those that a client runs."""

from sojourn.domain import events as e
from sojourn.domain.kinds import Json
from sojourn.web.dialects.everruns.calls import CLIENTS, requested_call
from sojourn.web.dialects.everruns.log import payloads
from sojourn.web.dialects.everruns.log.pen import Pen
from sojourn.web.dialects.everruns.wire.event import Data


def tool_started(pen: Pen, started: e.ToolStarted) -> None:
    acting = pen.turn.acting
    tool = acting.requested.get(started.index)
    if tool is None:
        return
    if acting.told_at is None:
        acting.told_at = pen.stored.at
        calls: list[Json] = [{"id": one.id, "name": one.name} for one in acting.requested.values()]
        pen.say("act.started", {"tool_calls": calls})
    acting.started_at[started.index] = pen.stored.at
    pen.say("tool.started", {"tool_call": payloads.tool_call(tool)})


def tool_completed(pen: Pen, done: e.ToolCompleted) -> None:
    acting = pen.turn.acting
    acting.results[done.index] = done.status
    data = payloads.tool_result(done)
    started_at = acting.started_at.get(done.index)
    if started_at is not None:
        data["duration_ms"] = payloads.millis(pen.stored.at - started_at)
    pen.say("tool.completed", data)
    if acting.told_at is not None and acting.requested.keys() <= acting.results.keys():
        successes = sum(status == "done" for status in acting.results.values())
        acted: Data = {
            "completed": True,
            "success_count": successes,
            "error_count": len(acting.results) - successes,
            "duration_ms": payloads.millis(pen.stored.at - acting.told_at),
        }
        pen.say("act.completed", acted)
        acting.told_at = None


def ask_opened(pen: Pen, opened: e.AskOpened) -> None:
    pen.turn.asks.append(opened)


def turn_waiting(pen: Pen, _waiting: e.TurnWaiting) -> None:
    """One request for all that a client is to do or to answer."""
    asks, pen.turn.asks = pen.turn.asks, []
    calls: list[Json] = [requested_call(ask.ask, ask.prompt) for ask in asks if ask.kind in CLIENTS]
    if calls:
        pen.say("tool.call_requested", {"tool_calls": calls})
