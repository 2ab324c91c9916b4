"""Where a turn of an agent's program stands when it is claimed, and how the program is spoken to from there.

The program's own calls are never run by anybody else. So whatever an earlier claim left open gets its result here, and
the program is told of it instead of being asked the same again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sojourn.domain.ask import denial, tool_result
from sojourn.domain.content import Message, ToolCallPart, ToolResultPart
from sojourn.domain.events import RunnerEvent, ToolRequested
from sojourn.domain.fold import CallModel, Conversation, Finish, RunTools
from sojourn.ports.turns import Journal
from sojourn.runners.acp import prompts
from sojourn.runners.acp.scribe import ToolCall, arguments_of


@dataclass(slots=True)
class Standing:
    """`events` are what is to be said of the past before model call `call`.

    `is_waiting` says that somebody is still to decide, `is_done` that nothing is left to do, and `is_steered` that the
    program has answered, and is to be told of what came meanwhile.
    """

    call: int
    events: Sequence[RunnerEvent] = ()
    is_waiting: bool = False
    is_done: bool = False
    is_steered: bool = False
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
        ours = conversation.messages[since:]
        inputs, results = _inputs(ours), _results(ours)
        is_resumed = bool(results) and not self.is_steered
        texts: list[str] = []
        if is_new:
            if spec.instructions:
                texts.append(prompts.instructions(spec.instructions))
            told = conversation.messages if is_resumed else conversation.messages[:since]
            if told:
                texts.append(prompts.past(told))
        if is_resumed:
            return [*texts, prompts.interruption(inputs, results)]
        return [*texts, *(inputs[-1:] if self.is_steered else inputs)]


def standing(conversation: Conversation) -> Standing:
    progress = conversation.progress
    match progress.next_step():
        case CallModel(call, abandoned):
            return Standing(call=call, events=() if abandoned is None else (abandoned,))
        case RunTools(asked=asked) if asked:
            return Standing(call=progress.call, is_waiting=True)
        case RunTools() as step:
            return _after_tools(progress.call + 1, step)
        case Finish():
            # A steer that was delivered, and of which the program was not told any more.
            is_steered = conversation.messages[-1].role == "user"
            return Standing(call=progress.call + 1, is_done=not is_steered, is_steered=is_steered)


def _after_tools(call: int, step: RunTools) -> Standing:
    events: list[RunnerEvent] = [
        tool_result(tool, "unknown", "worker lost") for tool in (*step.lost, *step.waiting)
    ]
    allowed: list[ToolRequested] = []
    for one in step.decided:
        if one.decided.decision == "allow":
            allowed.append(one.tool)
            events.append(
                tool_result(one.tool, "cancelled", "It was allowed, and has not been carried out yet.")
            )
        else:
            events.append(denial(one.tool, one.decided))
    return Standing(call=call, events=events, _allowed=allowed)


def _inputs(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages if message.role == "user"]


def _results(messages: Sequence[Message]) -> list[str]:
    """What became of the calls, a line each."""
    arguments: dict[str, str] = {}
    lines: list[str] = []
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, ToolCallPart):
            arguments[part.id] = part.arguments
        elif isinstance(part, ToolResultPart):
            what = f"{part.name} {arguments.get(part.id, '')}".strip()
            lines.append(f"{what}: {_end(part)}")
    return lines


def _end(result: ToolResultPart) -> str:
    match result.status:
        case "done":
            return "it is done"
        case "unknown":
            return "its outcome is not known"
        case "error" | "cancelled":
            return f"it was not carried out, or failed: {result.output}"
