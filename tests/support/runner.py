"""A runner that keeps its promises and is otherwise unpredictable: what it does next is drawn by lot.

It marks all that it says with a stamp, so that the log tells who wrote what.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

from sojourn.domain.ask import NewAsk, client_result, prompt_of, tool_result
from sojourn.domain.content import Usage
from sojourn.domain.events import (
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    UsageRecorded,
)
from sojourn.domain.fold import CallModel, Conversation, Finish, RunTools
from sojourn.domain.ids import AskId, MessageId, uuid7
from sojourn.domain.kinds import AskKind, Json, Outcome


@dataclass(frozen=True)
class Append:
    events: tuple[RunnerEvent, ...]
    intents: tuple[RunnerEvent, ...] = ()
    steers_before: int | None = None


@dataclass(frozen=True)
class Settle:
    events: tuple[RunnerEvent, ...]
    reason: Outcome = "end_turn"
    error: str | None = None


@dataclass(frozen=True)
class Retry:
    events: tuple[RunnerEvent, ...]
    error: str


@dataclass(frozen=True)
class Wait:
    asks: tuple[NewAsk, ...]
    mode: Literal["held", "parked"]


RunnerMove = Append | Settle | Retry | Wait


class RandomRunner:
    """One claim's runner. `first_call` is the message whose call the claim itself has announced.

    Its asks wait for `patience_seconds`, or for ever.
    """

    def __init__(
        self,
        random: Random,
        stamp: str,
        first_call: MessageId | None = None,
        patience_seconds: float = 10.0,
    ) -> None:
        self._random = random
        self._stamp = stamp
        self._own_call = first_call
        self._patience_seconds = patience_seconds
        self._started: set[tuple[int, int]] = set()

    def move(self, conversation: Conversation) -> RunnerMove:
        progress = conversation.progress
        match progress.next_step():
            case CallModel(_, None) if self._random.random() < 0.25:
                return self._wait()
            case CallModel(call, abandoned):
                if abandoned is None or abandoned.message != self._own_call:
                    return self._call((abandoned,) if abandoned is not None else (), call)
                return self._answer(abandoned)
            case RunTools() as step:
                return self._tools(step, progress.call)
            case Finish():
                return Settle(())

    def _call(self, events: tuple[RunnerEvent, ...], call: int) -> Append:
        intent = ModelCalled(call=call, model="sim/echo", message=MessageId(uuid7()))
        self._own_call = intent.message
        return Append(events, (intent,), steers_before=call)

    def _answer(self, void: MessageAbandoned) -> RunnerMove:
        lot = self._random.random()
        if lot < 0.1:
            return Retry((void,), f"fault of {self._stamp}")
        if lot < 0.15:
            return Settle((void,), "error", f"error of {self._stamp}")
        said = (
            MessageCompleted(message=void.message, call=void.call, text=self._stamp),
            ModelCompleted(
                call=void.call,
                model="sim/echo",
                provider=self._stamp,
                usage=Usage(self._random.randrange(9), 1),
                finish_reason="stop",
            ),
        )
        if lot < 0.5:
            return Settle(said)
        requests = [self._request(void.call, index) for index in range(self._random.randrange(1, 4))]
        intents = self._start(requests[: self._random.randrange(len(requests) + 1)])
        return Append((*said, *requests), intents)

    def _request(self, call: int, index: int) -> ToolRequested:
        return ToolRequested(call=call, index=index, id=f"{call}.{index}", name=self._stamp, arguments="{}")

    def _start(self, requests: Sequence[ToolRequested]) -> tuple[ToolStarted, ...]:
        self._started |= {(request.call, request.index) for request in requests}
        return tuple(ToolStarted(call=request.call, index=request.index) for request in requests)

    def _tools(self, step: RunTools, call: int) -> RunnerMove:
        running = [tool for tool in step.lost if (tool.call, tool.index) in self._started]
        foreign = [tool for tool in step.lost if tool not in running]
        if not running and self._random.random() < 0.35:
            return self._wait(step.waiting)
        results: list[ToolCompleted] = [
            *(tool_result(tool, "unknown", self._stamp) for tool in foreign),
            *(client_result(one.tool, one.decided) for one in step.decided),
            *(self._result(tool) for tool in running if self._random.random() < 0.6),
        ]
        is_open = bool(step.waiting or step.asked) or len(results) < len(step.lost) + len(step.decided)
        if not is_open:
            more = () if self._random.random() < 0.8 else (UsageRecorded(source=self._stamp, usage=Usage(1)),)
            return self._call((*results, *more), call + 1)
        begin = [tool for tool in step.waiting if self._random.random() < 0.7] or list(step.waiting[:1])
        if results or begin:
            return Append(tuple(results), self._start(begin))
        if running:
            return Append((self._result(running[0]),))
        return Wait((), "parked")

    def _result(self, tool: ToolRequested) -> ToolCompleted:
        status: Literal["done", "error"] = "done" if self._random.random() < 0.8 else "error"
        return ToolCompleted(
            call=tool.call, index=tool.index, id=tool.id, name=tool.name, status=status, output=self._stamp
        )

    def _wait(self, tools: Sequence[ToolRequested] = ()) -> Wait:
        """For asks about some of `tools`, or about nothing that the log knows."""
        about = [tool for tool in tools if self._random.random() < 0.6]
        asks = [self._ask("client_tool", prompt_of(tool, {})) for tool in about]
        if not asks:
            asks = [self._ask("approval", {}) for _ in range(self._random.randrange(1, 3))]
        return Wait(tuple(asks), "parked" if self._random.random() < 0.7 else "held")

    def _ask(self, kind: AskKind, prompt: dict[str, Json]) -> NewAsk:
        patience = self._random.choice((None, *[self._patience_seconds] * 3))
        return NewAsk(id=AskId(uuid7()), kind=kind, prompt=prompt, timeout_seconds=patience)
