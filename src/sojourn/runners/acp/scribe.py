"""What the log says of an agent's program while it answers: its updates in, a runner's events out.

The protocol tells of text and tool calls as they come. The log knows model calls, each answered by one message and
the tools that it asks for, and the next one follows when all of these have their results. So text is one message
until a tool is called, and what comes after the last result is the next.
"""

import json
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from sojourn.domain.ask import tool_result
from sojourn.domain.content import ToolStatus, Usage
from sojourn.domain.events import (
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    PlanChanged,
    RunnerEvent,
    ThoughtRecorded,
    ToolDenied,
    ToolRequested,
    ToolStarted,
)
from sojourn.domain.ids import MessageId, uuid7
from sojourn.domain.kinds import Json
from sojourn.runners.acp.updates import Ended, Plan, Text, Thought, ToolNews, as_object

NO_USAGE: Final = Usage()
PROVIDER: Final = "acp"
# Titles that are a tool's name, as some programs give them; others are sentences, which no rule could name.
_NAME: Final = re.compile(r"[A-Za-z][\w.-]{0,63}\Z")

Preview = Callable[[MessageId, int, str], None]


@dataclass(slots=True, kw_only=True)
class ToolCall:
    """One of the program's tool calls. It has a `request` once the log knows it.

    `is_running` says that the program has told of its start, which the log need not have heard yet; `is_asked` that
    it waits for somebody to decide.
    """

    id: str
    name: str
    title: str = ""
    kind: str = "other"
    input: Json = None
    output: str = ""
    request: ToolRequested | None = None
    is_running: bool = False
    is_asked: bool = False
    is_started: bool = False
    is_completed: bool = False

    def learn(self, news: ToolNews) -> None:
        self.title = news.title or self.title
        self.kind = news.kind or self.kind
        # Some tell of a call before they know its input.
        if news.input and self.request is None:
            self.input = news.input
        self.output = self.output if news.output is None else news.output
        self.is_running = self.is_running or news.state == "in_progress"


@dataclass(slots=True)
class Scribe:
    """Of one prompt. `opened` is the model call that is being answered, announced already.

    `take` gives what is to be appended; whoever appends it does so before the program is told anything.
    """

    opened: ModelCalled | None
    preview: Preview
    call: int = field(init=False)
    tools: dict[str, ToolCall] = field(default_factory=dict[str, ToolCall])
    _model: str = field(init=False)
    _texts: list[str] = field(default_factory=list[str])
    _thoughts: list[str] = field(default_factory=list[str])
    # How many of the texts were shown, and how long these are together.
    _shown: int = 0
    _offset: int = 0
    _count: int = 0
    _said: list[RunnerEvent] = field(default_factory=list[RunnerEvent])

    def __post_init__(self) -> None:
        assert self.opened is not None
        self.call, self._model = self.opened.call, self.opened.model

    @property
    def is_holding_back(self) -> bool:
        """Whether there are calls that the log does not know yet, or not that they run."""
        is_asked = self.is_asked
        return any(not tool.is_completed and _is_behind(tool, is_asked) for tool in self.tools.values())

    @property
    def is_asked(self) -> bool:
        """Whether a question is open. A program puts them one by one, so what seems to run may wait for its own."""
        return any(tool.is_asked and not tool.is_completed for tool in self.tools.values())

    def take(self) -> tuple[Sequence[RunnerEvent], Sequence[RunnerEvent]]:
        """What is to be said, and with it the intent of what comes next."""
        said, self._said = self._said, []
        if said and isinstance(said[-1], ModelCalled):
            return said[:-1], said[-1:]
        return said, ()

    def hear(self, news: Text | Thought | Plan | ToolNews) -> None:
        match news:
            case Text(text=text):
                self._texts.append(text)
                self._show()
            case Thought(text=text):
                self._thoughts.append(text)
            case Plan(steps=steps):
                self._said.append(PlanChanged(steps=tuple(steps)))
            case ToolNews():
                self._hear_of_tool(news)

    def tool(self, news: ToolNews) -> ToolCall:
        """The call that the news are about, with what they tell of it."""
        tool = self.tools.get(news.id)
        if tool is None:
            title = news.title or ""
            name = title if _NAME.match(title) else news.kind or "other"
            tool = self.tools[news.id] = ToolCall(id=news.id, name=name)
        tool.learn(news)
        return tool

    def _hear_of_tool(self, news: ToolNews) -> None:
        tool = self.tool(news)
        if tool.is_completed or news.state not in ("completed", "failed"):
            return
        if tool.is_asked:
            self.close(tool, "cancelled", "The agent went on without an answer to its question.")
        else:
            self.complete(tool, "done" if news.state == "completed" else "error", tool.output)

    def settle(self) -> None:
        """Say what was held back: nobody asked about it."""
        is_asked = self.is_asked
        for tool in self.tools.values():
            if not tool.is_completed and _is_behind(tool, is_asked):
                self.request(tool)
                if tool.is_running and not is_asked:
                    self.start(tool)

    def request(self, tool: ToolCall) -> ToolRequested:
        """The call as the log knows it, which is told of those before it first."""
        for one in self.tools.values():
            if one.request is None:
                self._end_message("tool_calls")
                one.request = ToolRequested(
                    call=self.call, index=self._count, id=one.id, name=one.name, arguments=arguments_of(one)
                )
                self._count += 1
                self._said.append(one.request)
            if one is tool:
                break
        assert tool.request is not None
        return tool.request

    def start(self, tool: ToolCall) -> None:
        request = self.request(tool)
        if not tool.is_started:
            tool.is_started = True
            self._said.append(ToolStarted(call=request.call, index=request.index))

    def deny(self, tool: ToolCall, rule: str) -> None:
        request = self.request(tool)
        self._said.append(ToolDenied(call=request.call, index=request.index, rule=rule))
        self.close(tool, "error", "The tool policy forbids this call.")

    def complete(self, tool: ToolCall, status: ToolStatus, output: str) -> None:
        self.start(tool)
        self.close(tool, status, output)

    def close(self, tool: ToolCall, status: ToolStatus, output: str) -> None:
        """Give a call its one result, and open the next model call behind the last of them."""
        if tool.is_completed:
            return
        tool.is_completed = True
        self._said.append(tool_result(self.request(tool), status, output))
        if all(one.is_completed for one in self.tools.values()):
            self._open_next()

    def finish(self, ended: Ended) -> None:
        """The program is done: whatever it left open gets its end."""
        self.settle()
        for tool in self.tools.values():
            self.close(tool, "unknown", "The agent ended its answer without a result of this call.")
        if self.opened is None:
            self._open_next()
        self._end_message(ended.reason)

    def abandon(self, output: str, keep: Collection[str] = ()) -> Sequence[RunnerEvent]:
        """The program is gone: its message is void, and of its calls, but for those in `keep`, nobody knows the end."""
        said, self._said = self._said, []
        if self.opened is not None and said and said[-1] is self.opened:
            # Nobody has heard of this call yet.
            said.pop()
        elif self.opened is not None:
            said.append(MessageAbandoned(message=self.opened.message, call=self.opened.call))
        lost = [tool for tool in self.tools.values() if not tool.is_completed and tool.id not in keep]
        return [
            *said,
            *(tool_result(tool.request, "unknown", output) for tool in lost if tool.request is not None),
        ]

    def _open_next(self) -> None:
        self.call, self._count = self.call + 1, 0
        self._shown, self._offset = 0, 0
        self.opened = ModelCalled(call=self.call, model=self._model, message=MessageId(uuid7()))
        self._said.append(self.opened)
        self._show()

    def _show(self) -> None:
        """Show what is new of the open message; what comes while tools run waits for its own."""
        if self.opened is None:
            return
        text = "".join(self._texts[self._shown :])
        self._shown = len(self._texts)
        if text:
            self.preview(self.opened.message, self._offset, text)
            self._offset += len(text)

    def _end_message(self, reason: str) -> None:
        if self.opened is None:
            return
        opened, self.opened = self.opened, None
        text, thought = "".join(self._texts), "".join(self._thoughts)
        self._texts, self._thoughts = [], []
        if thought:
            self._said.append(ThoughtRecorded(call=opened.call, text=thought))
        self._said.append(MessageCompleted(message=opened.message, call=opened.call, text=text))
        self._said.append(
            ModelCompleted(
                call=opened.call,
                model=opened.model,
                provider=PROVIDER,
                usage=NO_USAGE,
                finish_reason=reason,
            )
        )


def arguments_of(tool: ToolCall) -> str:
    return json.dumps(as_object(tool.input), ensure_ascii=False)


def _is_behind(tool: ToolCall, is_asked: bool) -> bool:
    """Whether the log does not know of the call, or not that it runs, as far as can be told while somebody is asked."""
    return tool.request is None or (tool.is_running and not tool.is_started and not is_asked)
