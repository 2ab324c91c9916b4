"""What a worker outside may say of its turn: whatever agrees with what the turn's log says so far.

The workers of a server's own process say what they do by construction; of one outside nobody knows who wrote it, and
what it said wrongly would stand in the log for good.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from sojourn.domain import events as e
from sojourn.domain.ask import NewAsk, place_of
from sojourn.domain.content import Usage
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.fold import Conversation, Progress
from sojourn.domain.ids import AskId, MessageId
from sojourn.domain.log import LogEntry

MAX_EVENTS: Final = 1_000
MAX_ASKS: Final = 100
MAX_WORD: Final = 500
MAX_COUNT: Final = 2**53

# What tells how far a turn got and what it may say next.
REPORT_TYPES: Final = (
    "turn.started",
    "model.called",
    "model.completed",
    "message.completed",
    "message.abandoned",
    "tool.requested",
    "tool.started",
    "tool.completed",
    "ask.opened",
    "ask.decided",
    "compaction.started",
    "compaction.completed",
)

# Nothing of these begins before it is in the log, so they stand behind the results, and behind a budget's check.
_INTENTS: Final = (e.ModelCalled, e.ToolStarted, e.CompactionStarted)


@dataclass(slots=True)
class Account:
    """Where a turn stands, by its log."""

    conversation: Conversation = field(default_factory=Conversation)
    said: set[MessageId] = field(default_factory=set[MessageId])
    asks: set[AskId] = field(default_factory=set[AskId])
    is_compacting: bool = False

    @property
    def progress(self) -> Progress:
        return self.conversation.progress

    def without_words(self) -> "Account":
        """A copy, as much of it as reports are checked against: what was said and what tools gave back may be large."""
        progress = self.progress
        bare = Progress(
            progress.turn,
            progress.attempt,
            progress.call,
            answered=progress.answered,
            open_call=progress.open_call,
            requested={index: replace(tool, arguments="") for index, tool in progress.requested.items()},
            started=set(progress.started),
            completed={index: replace(result, output="") for index, result in progress.completed.items()},
            asks=dict(progress.asks),
        )
        conversation = Conversation(seq=self.conversation.seq, progress=bare)
        return Account(conversation, set(self.said), set(self.asks), self.is_compacting)

    def extend(self, entries: Iterable[LogEntry]) -> "Account":
        for entry in entries:
            self.conversation.extend([entry])
            match entry.event:
                case e.MessageCompleted(message=message):
                    self.said.add(message)
                case e.AskOpened(ask=ask):
                    self.asks.add(ask)
                case e.CompactionStarted():
                    self.is_compacting = True
                case e.CompactionCompleted():
                    self.is_compacting = False
                case _:
                    pass
        return self


class Report:
    """One request of a worker, checked event by event; InvalidRequest names the first that cannot be so.

    A runner that `announces` asks before it calls a model or starts a tool. A program that does so by itself can only
    tell of it, among what else has happened.
    """

    def __init__(self, account: Account, *, announces: bool) -> None:
        self._account = account
        self._announces = announces
        self._seq = account.conversation.seq

    def append(
        self, events: Sequence[e.RunnerEvent], intents: Sequence[e.RunnerEvent], steers_before: int | None
    ) -> None:
        self._take("events", events)
        if steers_before is not None and steers_before != self._account.progress.call + 1:
            raise InvalidRequest("steers_before", f"must be the next call, {self._account.progress.call + 1}")
        self._take("intents", intents, are_intents=True)
        if not events and not intents and steers_before is None:
            raise InvalidRequest("events", "must not be empty where nothing else is said")

    def settle(self, events: Sequence[e.RunnerEvent]) -> None:
        """Every call has its result before the turn ends, and every message its end."""
        self._take("events", events)
        left = self._account.progress.unfinished()
        if left.tools:
            raise InvalidRequest("events", f"lack the result of the tool call {left.tools[0].id}")
        if left.message is not None:
            raise InvalidRequest("events", f"lack the end of the message {left.message.message}")

    def retry(self, events: Sequence[e.RunnerEvent]) -> None:
        """What is open stays so, for the next claim."""
        self._take("events", events)

    def wait(self, events: Sequence[e.RunnerEvent], asks: Sequence[NewAsk]) -> None:
        self._take("events", events)
        if len(asks) > MAX_ASKS:
            raise InvalidRequest("asks", f"must not be more than {MAX_ASKS}")
        for index, ask in enumerate(asks):
            self._take_ask(f"asks.{index}", ask)

    def _take(self, field: str, events: Sequence[e.RunnerEvent], *, are_intents: bool = False) -> None:
        if len(events) > MAX_EVENTS:
            raise InvalidRequest(field, f"must not be more than {MAX_EVENTS}")
        for index, event in enumerate(events):
            place = f"{field}.{index}"
            is_intent = isinstance(event, _INTENTS)
            if are_intents and not is_intent:
                raise InvalidRequest(place, f"{event.type} belongs to the events")
            if is_intent and not are_intents and self._announces:
                raise InvalidRequest(place, f"{event.type} belongs to the intents")
            problem = _problem(self._account, event)
            if problem is None and self._announces:
                problem = _of_decision(self._account.progress, event)
            if problem is not None:
                raise InvalidRequest(place, f"{event.type} {problem}")
            self._seq += 1
            entry = LogEntry(self._seq, self._account.progress.turn, event.type, event)
            self._account.extend([entry])

    def _take_ask(self, place: str, ask: NewAsk) -> None:
        account = self._account
        if ask.id in account.asks:
            raise InvalidRequest(f"{place}.id", "is the id of another ask")
        account.asks.add(ask.id)
        about = place_of(ask.prompt)
        if about is None:
            return
        call, index = about
        if call != account.progress.call or index not in account.progress.requested:
            raise InvalidRequest(f"{place}.prompt", "is about a tool call that is not open")
        if index in account.progress.completed or index in account.progress.asks:
            raise InvalidRequest(f"{place}.prompt", "is about a tool call that is done or asked about")


def _problem(account: Account, event: e.RunnerEvent) -> str | None:
    """What keeps an event from standing behind the log as it is, None if nothing does."""
    match event:
        case e.ModelCalled() | e.MessageCompleted() | e.MessageAbandoned() | e.ModelCompleted():
            return _of_saying(account, event)
        case e.ToolRequested():
            return _of_request(account.progress, event)
        case e.ToolStarted() | e.ToolDenied() | e.ToolCompleted():
            return _of_tool(account.progress, event)
        case e.CompactionStarted() | e.CompactionCompleted():
            return _of_compaction(account, event)
        case e.ThoughtRecorded() | e.PlanChanged() | e.ProviderSessionLinked() | e.UsageRecorded():
            return _of_note(account.progress, event)
        case _:
            assert_never(event)


def _of_note(
    progress: Progress, event: e.ThoughtRecorded | e.PlanChanged | e.ProviderSessionLinked | e.UsageRecorded
) -> str | None:
    """Of what may be said whenever the turn runs."""
    match event:
        case e.ThoughtRecorded(call=call):
            is_near = call in (progress.call, progress.call + 1)
            return None if is_near else f"must be of call {progress.call} or the next"
        case e.PlanChanged(steps=steps):
            return None if len(steps) <= MAX_EVENTS else f"has more than {MAX_EVENTS} steps"
        case e.ProviderSessionLinked(kind=kind, agent=agent, provider_session=linked):
            return _of_words(kind, agent, linked)
        case e.UsageRecorded(source=source, usage=usage):
            return _of_words(source) or _of_usage(usage)


def _of_saying(
    account: Account, event: e.ModelCalled | e.MessageCompleted | e.MessageAbandoned | e.ModelCompleted
) -> str | None:
    match event:
        case e.ModelCalled():
            return _of_call(account.progress, event)
        case e.MessageCompleted():
            return _of_message(account, event)
        case e.MessageAbandoned(message=message, call=call):
            opened = account.progress.open_call
            is_open = opened is not None and (opened.message, opened.call) == (message, call)
            return None if is_open else "names no message that is open"
        case e.ModelCompleted():
            return _of_answer(account, event)


def _of_call(progress: Progress, event: e.ModelCalled) -> str | None:
    if progress.open_call is not None:
        return f"comes before the end of call {progress.call}"
    if left := progress.unfinished().tools:
        return f"comes before the result of the tool call {left[0].id}"
    if event.call != progress.call + 1:
        return f"must be call {progress.call + 1}"
    return _of_words(event.model)


def _of_message(account: Account, event: e.MessageCompleted) -> str | None:
    if event.message in account.said:
        return "was said already"
    opened = account.progress.open_call
    if opened is None:
        return "is of no call that is open"
    if (opened.message, opened.call) != (event.message, event.call):
        return f"must be the message {opened.message} of call {opened.call}"
    return None


def _of_answer(account: Account, event: e.ModelCompleted) -> str | None:
    opened = account.progress.open_call
    if opened is None or opened.call != event.call:
        return "is the end of no call that is open"
    if opened.message not in account.said:
        return f"comes before its message {opened.message}"
    return _of_words(event.model, event.provider, event.finish_reason) or _of_usage(event.usage)


def _of_request(progress: Progress, event: e.ToolRequested) -> str | None:
    if progress.open_call is not None:
        return f"comes before the end of call {progress.call}"
    if event.call != progress.call:
        return f"must be of call {progress.call}"
    if event.index != len(progress.requested):
        return f"must have the index {len(progress.requested)}"
    if any(other.id == event.id for other in progress.requested.values()):
        return "has the id of another tool call"
    return _of_words(event.id, event.name)


def _of_tool(progress: Progress, event: e.ToolStarted | e.ToolDenied | e.ToolCompleted) -> str | None:
    """Of what is said of a tool call that was requested and has no result yet."""
    requested, ask = progress.requested.get(event.index), progress.asks.get(event.index)
    if requested is None or not _is_open(progress, event.call, event.index):
        return "names no tool call that is open"
    match event:
        case e.ToolStarted():
            is_asked = ask is not None and ask.decided is None
            return "is about a tool call that waits for a decision" if is_asked else None
        case e.ToolDenied(rule=rule):
            is_started = event.index in progress.started
            return "is about a tool call that was started" if is_started else _of_words(rule)
        case e.ToolCompleted(id=id, name=name):
            is_same = (requested.id, requested.name) == (id, name)
            return None if is_same else f"names another tool call than {requested.id} of {requested.name}"


def _of_decision(progress: Progress, event: e.RunnerEvent) -> str | None:
    """Of a call that somebody was asked about. A program that calls its tools by itself goes by its own words."""
    if not isinstance(event, e.ToolStarted) and not (
        isinstance(event, e.ToolCompleted) and event.status == "done"
    ):
        return None
    ask = progress.asks.get(event.index)
    if ask is None:
        return None
    if ask.decided is None:
        return "is about a tool call that waits for a decision"
    return "is about a tool call that was denied" if ask.decided.decision == "deny" else None


def _of_compaction(account: Account, event: e.CompactionStarted | e.CompactionCompleted) -> str | None:
    if isinstance(event, e.CompactionStarted):
        if account.progress.open_call is not None:
            return f"comes before the end of call {account.progress.call}"
        return _of_words(event.model)
    if not account.is_compacting:
        return "is the end of no compaction that was begun"
    return None if 0 < event.messages <= MAX_COUNT else "stands for no messages"


def _is_open(progress: Progress, call: int, index: int) -> bool:
    return call == progress.call and index in progress.requested and index not in progress.completed


def _of_words(*words: str) -> str | None:
    return "has an empty or overlong name" if any(not 0 < len(word) <= MAX_WORD for word in words) else None


def _of_usage(usage: Usage) -> str | None:
    counts = (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens, usage.cache_write_tokens)
    if any(not 0 <= count <= MAX_COUNT for count in counts):
        return "has a count that is none"
    cost = usage.cost_usd
    if cost is not None and not (cost.is_finite() and 0 <= cost <= MAX_COUNT):
        return "has a cost that is none"
    return None
