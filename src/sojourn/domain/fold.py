"""The conversation of a session and the progress of its last turn, as one fold of the log.

Recovery, forks, exports and dialects read a session through this fold and nothing else. What it holds depends only
on the entries applied, in order: applying the rest of a log to a kept fold equals folding the whole log.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from sojourn.domain.ask import as_allowed, place_of, tool_result
from sojourn.domain.content import Message, Part, TextPart, ToolCallPart, ToolResultPart
from sojourn.domain.events import (
    AskDecided,
    AskOpened,
    CompactionCompleted,
    InputDelivered,
    InputEdited,
    InputReceived,
    InputWithdrawn,
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    ProviderSessionLinked,
    RunnerEvent,
    SessionForked,
    SessionImported,
    SessionRewound,
    SessionTrimmed,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    TurnCancelled,
    TurnCompleted,
    TurnFailed,
    TurnReclaimed,
    TurnRetried,
    TurnStarted,
)
from sojourn.domain.ids import AskId, InputId, MessageId, TurnId
from sojourn.domain.kinds import AskKind
from sojourn.domain.log import LogEntry
from sojourn.domain.timeline import Timeline

# What a model is told of the text that it reads in the place of older messages.
SUMMARY_OF: Final = "Summary of the conversation so far:"


class UnknownEventType(Exception):
    """The log was written by a newer release: going on without that event could repeat an effect."""

    def __init__(self, type: str, seq: int) -> None:
        super().__init__(
            f"Event {seq} has the type {type}, which this release does not know: upgrade the worker."
        )
        self.type = type
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a turn has begun and not ended: tool calls without a result, a message without an end.

    `message` is what becomes of that message: its partial text is kept where it was stopped on purpose.
    """

    tools: tuple[ToolRequested, ...] = ()
    message: MessageAbandoned | MessageCompleted | None = None

    def keeping(self, message: MessageId, text: str) -> "Unfinished":
        """The same with `text` as the interrupted end of the open message, if it is the one that `message` names."""
        if self.message is None or self.message.message != message or not text:
            return self
        end = MessageCompleted(message=message, call=self.message.call, text=text, interrupted=True)
        return Unfinished(self.tools, end)

    def closing(self, status: Literal["unknown", "cancelled"], output: str) -> tuple[RunnerEvent, ...]:
        """The events that give every open tool call its one result and void the open message."""
        results = tuple(tool_result(tool, status, output) for tool in self.tools)
        return results if self.message is None else (self.message, *results)


@dataclass(frozen=True, slots=True)
class CallModel:
    """Call the model for the `call`-th time; `abandoned` is the message of an earlier, unfinished try."""

    call: int
    abandoned: MessageAbandoned | None = None


@dataclass(frozen=True, slots=True)
class ToolAsk:
    """A question about a tool call, and what was decided of it, None while it is open.

    `is_lost` says that the call was started before by a worker that was lost.
    """

    ask: AskId
    kind: AskKind
    is_lost: bool = False
    decided: AskDecided | None = None


@dataclass(frozen=True, slots=True)
class DecidedTool:
    """A tool call that waited for a decision, and has it."""

    tool: ToolRequested
    kind: AskKind
    decided: AskDecided
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class RunTools:
    """`waiting` were requested and never started; `lost` were started by somebody who did not live to tell.

    `asked` wait for a decision that is still open, `decided` have theirs and no result yet.
    """

    waiting: tuple[ToolRequested, ...]
    lost: tuple[ToolRequested, ...]
    asked: tuple[ToolRequested, ...] = ()
    decided: tuple[DecidedTool, ...] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The model answered without a tool call: the turn is over."""


# A round of tool calls as far as it can repeat itself: names, arguments, statuses and outputs.
Round = tuple[tuple[str, str, str, str], ...]

# Models also go back and forth between a few calls.
LONGEST_LOOP: Final = 4

NextStep = CallModel | RunTools | Finish


@dataclass(slots=True)
class Progress:
    """Where the last turn stands. `answered` says that model call `call` has its answer in the log.

    `attempt` is the claim that stands; 0 once it was settled or taken away, the latter without being asked to stop
    (`is_taken`). `since` is the place of the turn's first message among all. `rounds` are its newest rounds of tool
    calls, the last one last. `repeats` counts by distance, 1 first, how many rounds in a row were no different from the
    one at that distance before.
    """

    turn: TurnId | None = None
    attempt: int = 0
    call: int = 0
    since: int = 0
    is_taken: bool = False
    answered: bool = False
    open_call: ModelCalled | None = None
    requested: dict[int, ToolRequested] = field(default_factory=dict[int, ToolRequested])
    started: set[int] = field(default_factory=set[int])
    completed: dict[int, ToolCompleted] = field(default_factory=dict[int, ToolCompleted])
    asks: dict[int, ToolAsk] = field(default_factory=dict[int, ToolAsk])
    rounds: tuple[Round, ...] = ()
    repeats: tuple[int, ...] = (0,) * LONGEST_LOOP

    def called(self, call: ModelCalled) -> "Progress":
        """Where the turn stands once that model call was announced."""
        rounds, repeats = self.rounds, self.repeats
        if self.requested:
            newest = self._round()
            repeats = tuple(
                count + 1 if distance <= len(rounds) and rounds[-distance] == newest else 0
                for distance, count in enumerate(repeats, 1)
            )
            rounds = (*rounds, newest)[-LONGEST_LOOP:]
        return Progress(
            self.turn,
            self.attempt,
            call.call,
            since=self.since,
            open_call=call,
            rounds=rounds,
            repeats=repeats,
        )

    def is_looping(self, times: int) -> bool:
        """Whether the same rounds of tool calls, one or a few in turn, had the same results `times` times in a row."""
        return any(count >= distance * (times - 1) for distance, count in enumerate(self.repeats, 1))

    def _round(self) -> Round:
        return tuple(
            (tool.name, tool.arguments, result.status, result.output)
            for index, tool in self.requested.items()
            if (result := self.completed.get(index)) is not None
        )

    def next_step(self) -> NextStep:
        if self.open_call is not None:
            return CallModel(self.call, self._abandoned())
        if open_tools := self._open_tools():
            return self._run_tools(open_tools)
        if self.answered and not self.requested:
            return Finish()
        return CallModel(self.call + 1)

    def _run_tools(self, open_tools: tuple[ToolRequested, ...]) -> RunTools:
        waiting: list[ToolRequested] = []
        asked: list[ToolRequested] = []
        decided: list[DecidedTool] = []
        idle = [tool for tool in open_tools if tool.index not in self.started]
        for tool in idle:
            ask = self.asks.get(tool.index)
            if ask is None:
                waiting.append(tool)
            elif ask.decided is None:
                asked.append(tool)
            else:
                decided.append(DecidedTool(tool, ask.kind, ask.decided, ask.is_lost))
        lost = tuple(self.as_allowed(tool) for tool in open_tools if tool.index in self.started)
        return RunTools(tuple(waiting), lost, tuple(asked), tuple(decided))

    def as_allowed(self, tool: ToolRequested) -> ToolRequested:
        ask = self.asks.get(tool.index)
        return tool if ask is None or ask.decided is None else as_allowed(tool, ask.decided)

    def unfinished(self) -> Unfinished:
        return Unfinished(self._open_tools(), self._abandoned())

    def _open_tools(self) -> tuple[ToolRequested, ...]:
        return tuple(tool for index, tool in self.requested.items() if index not in self.completed)

    def _abandoned(self) -> MessageAbandoned | None:
        if self.open_call is None:
            return None
        return MessageAbandoned(message=self.open_call.message, call=self.open_call.call)


@dataclass(slots=True)
class Conversation:
    """The fold. `seq` is the last entry applied; `messages` are in the order of delivery.

    `provider_session` is the session of an outside program that knows this one so far, and `linked_seq` the entry
    that says so, or that it knows too much.
    """

    seq: int = 0
    progress: Progress = field(default_factory=Progress)
    provider_session: ProviderSessionLinked | None = None
    linked_seq: int = 0
    _told: Timeline[Message] = field(default_factory=Timeline[Message])
    _compacted: Timeline[CompactionCompleted] = field(default_factory=Timeline[CompactionCompleted])
    _tokens: Timeline[int] = field(default_factory=Timeline[int])
    _pending: dict[InputId, Message] = field(default_factory=dict[InputId, Message])

    @property
    def messages(self) -> list[Message]:
        return self._told.items

    @property
    def compacted(self) -> CompactionCompleted | None:
        """What a model reads in the place of the oldest messages."""
        return self._compacted.items[-1] if self._compacted.items else None

    @property
    def tokens(self) -> int:
        """What the newest model call has read and written."""
        return self._tokens.items[-1] if self._tokens.items else 0

    @property
    def has_waiting_inputs(self) -> bool:
        """Whether there are any that no turn has read, steers or others."""
        return bool(self._pending)

    @property
    def context(self) -> tuple[Message, ...]:
        """The conversation as a model reads it."""
        if self.compacted is None:
            return tuple(self.messages)
        summary = Message("user", (TextPart(f"{SUMMARY_OF}\n\n{self.compacted.summary}"),))
        return (summary, *self.messages[self.compacted.messages :])

    def extend(self, entries: Iterable[LogEntry]) -> "Conversation":
        """Apply `entries`, which follow `seq`, and return this fold. UnknownEventType where one is not known."""
        for entry in entries:
            if entry.event is None:
                raise UnknownEventType(entry.type, entry.seq)
            self._apply(entry)
            self.seq = entry.seq
        return self

    def _apply(self, entry: LogEntry) -> None:
        match entry.event:
            case InputReceived(input=input, content=content, payload=payload):
                self._pending[input] = Message("user", content, payload)
            case InputEdited(input=input, content=content):
                self._pending[input] = replace(self._pending[input], parts=content)
            case InputWithdrawn(input=input):
                self._pending.pop(input, None)
            case InputDelivered(input=input):
                self._told.add(entry.seq, self._pending.pop(input))
            case AskOpened() as opened:
                self._open_ask(opened)
            case AskDecided() as decided:
                self._decide_ask(decided)
            case TurnStarted(attempt=attempt):
                if entry.turn != self.progress.turn:
                    self.progress = Progress(turn=entry.turn, since=len(self.messages))
                self.progress.attempt, self.progress.is_taken = attempt, False
            case TurnReclaimed() | TurnRetried() | TurnCompleted() | TurnFailed() | TurnCancelled():
                self.progress.attempt = 0
                self.progress.is_taken = isinstance(entry.event, TurnReclaimed)
            case _:
                self._apply_step(entry)

    def _apply_step(self, entry: LogEntry) -> None:
        progress = self.progress
        match entry.event:
            case ModelCalled() as called:
                self.progress = progress.called(called)
            case MessageAbandoned():
                progress.open_call = None
                progress.call -= 1
            case MessageCompleted(text=text):
                self._told.add(entry.seq, Message("assistant", (TextPart(text),) if text else ()))
            case ModelCompleted(usage=usage):
                progress.open_call = None
                progress.answered = True
                self._tokens.add(entry.seq, usage.input_tokens + usage.output_tokens)
            case ToolRequested() as tool:
                progress.requested[tool.index] = tool
                self._add_part(entry.seq, "assistant", ToolCallPart(tool.id, tool.name, tool.arguments))
            case ToolStarted(index=index):
                progress.started.add(index)
            case ToolCompleted() as result:
                progress.completed[result.index] = result
                part = ToolResultPart(result.id, result.name, result.status, result.output)
                self._add_part(entry.seq, "tool", part)
            case _:
                self._link(entry)

    def _link(self, entry: LogEntry) -> None:
        match entry.event:
            case CompactionCompleted() as compacted:
                self._compacted.add(entry.seq, compacted)
                self._tokens.add(entry.seq, 0)
            case ProviderSessionLinked() as linked:
                self.provider_session, self.linked_seq = linked, entry.seq
            case SessionForked() | SessionImported():
                # What the parent's program is told from here on is none of the fork's past.
                self.provider_session = None
            case SessionRewound(to=to):
                # No turn is open at either end, and the program was told what is taken back.
                for part in (self._told, self._compacted, self._tokens):
                    part.rewind(entry.seq, to)
                self.progress = Progress()
                self.provider_session, self.linked_seq = None, entry.seq
            case SessionTrimmed():
                # A fold that was kept from before forgets what one that begins here never read.
                self._told, self._compacted, self._tokens = Timeline(), Timeline(), Timeline()
                self._pending.clear()
                self.progress = Progress()
                self.provider_session, self.linked_seq = None, entry.seq
            case _:
                pass

    def _open_ask(self, opened: AskOpened) -> None:
        place, progress = place_of(opened.prompt), self.progress
        if place is None or place[0] != progress.call or place[1] not in progress.requested:
            return
        index = place[1]
        is_lost = index in progress.started
        if is_lost:
            # From here on it counts as not started, and with the arguments that were allowed before.
            progress.requested[index] = progress.as_allowed(progress.requested[index])
            progress.started.discard(index)
        progress.asks[index] = ToolAsk(opened.ask, opened.kind, is_lost)

    def _decide_ask(self, decided: AskDecided) -> None:
        for index, ask in self.progress.asks.items():
            if ask.ask == decided.ask:
                self.progress.asks[index] = replace(ask, decided=decided)

    def _add_part(self, seq: int, role: Literal["assistant", "tool"], part: Part) -> None:
        messages = self.messages
        if messages and messages[-1].role == role:
            messages[-1] = replace(messages[-1], parts=(*messages[-1].parts, part))
        else:
            self._told.add(seq, Message(role, (part,)))
