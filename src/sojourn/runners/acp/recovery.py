"""Where a turn of an agent's program stands when it is claimed, and how the program is spoken to from there.

The program's own calls are never run by anybody else. So whatever an earlier claim left open gets its result here, and
the program is told of it instead of being asked the same again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sojourn.domain.ask import denial, tool_result
from sojourn.domain.content import ToolResultPart
from sojourn.domain.events import RunnerEvent, ToolRequested
from sojourn.domain.fold import CallModel, Conversation, Finish, RunTools
from sojourn.ports.turns import Journal
from sojourn.runners.acp import prompts
from sojourn.runners.acp.scribe import ToolCall, arguments_of


@dataclass(slots=True)
class Standing:
    """`events` are what is to be said of the past before model call `call`.

    `is_waiting` says that somebody is still to decide, and `is_done` that nothing is left to do. `news` is what became
    of the calls of an earlier claim, for the program; it has been prompted before (`was_prompted`).
    """

    call: int
    events: Sequence[RunnerEvent] = ()
    is_waiting: bool = False
    is_done: bool = False
    was_prompted: bool = False
    news: Sequence[str] = ()
    _allowed: list[ToolRequested] = field(default_factory=list[ToolRequested])

    def take_allowed(self, tool: ToolCall) -> bool:
        """Whether somebody allowed this very call while the program was not there. That counts once."""
        for allowed in self._allowed:
            if (allowed.name, allowed.arguments) == (tool.name, arguments_of(tool)):
                self._allowed.remove(allowed)
                return True
        return False

    def prompt(self, journal: Journal, is_new: bool) -> Sequence[str]:
        """What the program is told now. A new one (`is_new`) knows nothing of what was before."""
        conversation, spec = journal.conversation, journal.turn.agent.spec
        since = conversation.progress.since
        inputs = [message.text for message in conversation.messages[since:] if message.role == "user"]
        texts: list[str] = []
        if is_new:
            if spec.instructions:
                texts.append(prompts.instructions(spec.instructions))
            told = conversation.messages if self.news else conversation.messages[:since]
            if told:
                texts.append(prompts.past(told))
        if self.news:
            return [*texts, prompts.interruption(inputs, self.news)]
        return [*texts, *inputs]


def standing(conversation: Conversation) -> Standing:
    progress = conversation.progress
    match progress.next_step():
        case CallModel(call, abandoned):
            said = () if abandoned is None else (abandoned,)
            news = _earlier(conversation)
            return Standing(call=call, events=said, was_prompted=abandoned is not None, news=news)
        case RunTools(asked=asked) if asked:
            return Standing(call=progress.call, is_waiting=True)
        case RunTools() as step:
            return _after_tools(conversation, step)
        case Finish():
            # A steer that was delivered, and of which the program was not told any more.
            is_done = conversation.messages[-1].role != "user"
            return Standing(call=progress.call + 1, is_done=is_done, was_prompted=True)


def _after_tools(conversation: Conversation, step: RunTools) -> Standing:
    events: list[RunnerEvent] = []
    news: list[str] = _earlier(conversation)
    allowed: list[ToolRequested] = []
    for tool in (*step.lost, *step.waiting):
        events.append(tool_result(tool, "unknown", "worker lost"))
        news.append(f"{tool.name} {tool.arguments}: its outcome is not known")
    for one in step.decided:
        if one.decided.decision == "allow":
            allowed.append(one.tool)
            events.append(tool_result(one.tool, "cancelled", "The agent was lost before it began the call."))
            news.append(
                f"{one.tool.name} {one.tool.arguments}: it was allowed, and has not been carried out yet"
            )
        else:
            events.append(denial(one.tool, one.decided))
            news.append(f"{one.tool.name} {one.tool.arguments}: it was denied")
    call = conversation.progress.call + 1
    return Standing(call=call, events=events, was_prompted=True, news=news, _allowed=allowed)


def _earlier(conversation: Conversation) -> list[str]:
    """The calls of this turn that have their results."""
    lines: list[str] = []
    for message in conversation.messages[conversation.progress.since :]:
        lines.extend(
            f"{part.name}: {part.status}" for part in message.parts if isinstance(part, ToolResultPart)
        )
    return lines
