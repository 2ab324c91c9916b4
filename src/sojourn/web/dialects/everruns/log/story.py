"""The fold that tells our log as Everruns' events. Pure.

What it remembers is of one turn, so it may begin at any `turn.queued`, and tells from there on what it would have told
from the start of the log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sojourn.domain import budget_events as be
from sojourn.domain import events as e
from sojourn.domain.ids import TurnId
from sojourn.domain.kinds import Json
from sojourn.domain.log import StoredEvent
from sojourn.web.dialects.everruns import ids
from sojourn.web.dialects.everruns.log import answers, budgets, compaction, ends, payloads, tools
from sojourn.web.dialects.everruns.log.pen import Pen, Subject, context_of
from sojourn.web.dialects.everruns.log.turn import Telling
from sojourn.web.dialects.everruns.wire.event import Context, Data, Event


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of our log, understood; None for one that this release does not know."""

    stored: StoredEvent
    event: e.Event | None


class Story:
    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._telling: Telling | None = None

    @property
    def context(self) -> Context:
        """That of the turn that was last told of."""
        return context_of(self._telling)

    @property
    def holds_back(self) -> bool:
        """Whether `rest` has something to tell."""
        return self._telling is not None and self._telling.answer is not None

    def tell(self, entry: Entry) -> list[Event]:
        """What the next event of the log adds, in order; often nothing."""
        teller = _TELLERS.get(type(entry.event))
        if teller is None:
            return []
        told = [] if answers.is_part_of(entry.event) else self.rest()
        pen = Pen(self._subject, entry.stored, self._of(entry.stored.turn))
        teller(pen, entry.event)
        return told + pen.events

    def rest(self) -> list[Event]:
        """What was held back because more might have belonged to it."""
        told = self.pending()
        if self._telling is not None and self._telling.answer is not None:
            answers.close(self._telling)
        return told

    def pending(self) -> list[Event]:
        """What `rest` would tell."""
        if self._telling is None or self._telling.answer is None:
            return []
        pen = Pen(self._subject, self._telling.answer.stored, self._telling)
        answers.tell(pen, self._telling.answer)
        return pen.events

    def _of(self, turn: TurnId | None) -> Telling | None:
        if turn is None:
            return None
        if self._telling is None or self._telling.turn != turn:
            self._telling = Telling(turn)
        return self._telling


def _session_created(pen: Pen, created: e.SessionCreated) -> None:
    data: Data = {
        "harness_id": ids.text("harness", pen.subject.harness),
        "agent_id": ids.text("agent", created.agent),
    }
    pen.say("session.started", data)


def _session_updated(pen: Pen, updated: e.SessionUpdated) -> None:
    title = updated.changes.get("title")
    if isinstance(title, str):
        pen.say("session.title.updated", {"title": title})


def _input_received(pen: Pen, received: e.InputReceived) -> None:
    if received.kind in ("message", "interrupt") and received.content:
        message = payloads.input_message(received, pen.stored.at)
        tags = payloads.input_facet(received).get("tags")
        pen.say("input.message", {"message": message}, received.input, _texts(tags))


def _texts(value: Json) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _turn_queued(pen: Pen, queued: e.TurnQueued) -> None:
    pen.turn.input = queued.input
    data: Data = {"turn_id": pen.turn_id, "input_message_id": ids.text("message", queued.input)}
    pen.say("session.activated", data)


def _turn_started(pen: Pen, started: e.TurnStarted) -> None:
    """Only the first claim: that a turn goes on elsewhere, or after a wait, is no start."""
    turn = pen.turn
    if started.attempt > 1:
        return
    turn.started_at = pen.stored.at
    data: Data = {"turn_id": pen.turn_id}
    if turn.input is not None:
        data["input_message_id"] = ids.text("message", turn.input)
    pen.say("turn.started", data)


def _file_written(pen: Pen, written: e.FileWritten) -> None:
    if written.sha256 is None:
        # A directory has no bytes that were written.
        return
    data: Data = {
        "path": f"/{written.path}",
        "size_bytes": written.size,
        "operation": "write",
        "created": False,
    }
    pen.say("file.written", data)


# A steer is told when it is received, a decision when the tool has its result, a lost worker not at all.
_TELLERS: Final[Mapping[type[Any], Callable[[Pen, Any], None]]] = {
    e.SessionCreated: _session_created,
    e.SessionUpdated: _session_updated,
    e.InputReceived: _input_received,
    e.TurnQueued: _turn_queued,
    e.TurnStarted: _turn_started,
    e.ModelCalled: answers.model_called,
    e.ThoughtRecorded: answers.thought_recorded,
    e.MessageCompleted: answers.message_completed,
    e.MessageAbandoned: answers.message_abandoned,
    e.ModelCompleted: answers.model_completed,
    e.UsageRecorded: answers.usage_recorded,
    e.ToolRequested: answers.tool_requested,
    e.ToolStarted: tools.tool_started,
    e.ToolCompleted: tools.tool_completed,
    e.AskOpened: tools.ask_opened,
    e.TurnWaiting: tools.turn_waiting,
    e.CompactionStarted: compaction.started,
    e.CompactionCompleted: compaction.completed,
    e.FileWritten: _file_written,
    be.BudgetWarned: budgets.warned,
    be.BudgetPaused: budgets.paused,
    be.BudgetExhausted: budgets.exhausted,
    be.BudgetResumed: budgets.resumed,
    e.TurnCompleted: ends.completed,
    e.TurnFailed: ends.failed,
    e.TurnCancelled: ends.cancelled,
}
