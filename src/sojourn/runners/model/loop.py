"""The model loop: read where the turn stands, call the model or run its tools, and again until it yields.

A first run and a recovery are the same loop. Every effect has its intent in the log before it starts, and what is in
the log as done is never done again.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Final

from sojourn.domain.agent import DEFAULT_MODEL_CALLS
from sojourn.domain.ask import NewAsk, tool_result
from sojourn.domain.errors import DomainError
from sojourn.domain.events import (
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    ModelCompleted,
    RunnerEvent,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
)
from sojourn.domain.fold import CallModel, Finish, RunTools
from sojourn.domain.ids import MessageId, uuid7
from sojourn.ports.endings import Faulted, Parked, Settled
from sojourn.ports.turns import Journal
from sojourn.runners.backoff import backoff
from sojourn.runners.model.client import (
    ClientFor,
    ContextFull,
    ModelAnswer,
    ModelCallFailed,
    ModelRequest,
    TextDelta,
    TransientModelError,
)
from sojourn.runners.model.compaction import NothingToCompact, compact, cut
from sojourn.runners.model.openers import CapabilityBroken, Opener, opened_tools
from sojourn.runners.model.toolbox import WORKER_LOST, Toolbox
from sojourn.runners.model.tools import OutcomeUnknown, Tool, ToolFailed, parse_arguments

log = logging.getLogger(__name__)

MODEL_SECONDS: Final = 600.0
TOOL_SECONDS: Final = 300.0
# How often in a row the same tool calls, of one round or of a few in turn, have the same results.
MAX_SAME_ROUNDS: Final = 10


class ModelRunner:
    """`toolsets` are the tools by the names that agents list; `openers` know what must be opened for a turn."""

    def __init__(
        self,
        client_for: ClientFor,
        toolsets: Mapping[str, Sequence[Tool]],
        openers: Sequence[Opener] = (),
    ) -> None:
        self._client_for = client_for
        self._toolsets = toolsets
        self._openers = {opener.kind.name: opener for opener in openers}

    async def run(self, journal: Journal) -> Settled | Faulted | Parked:
        try:
            async with opened_tools(journal, self._openers) as opened:
                tools = Toolbox(journal.turn.agent.spec, self._toolsets, opened)
                return await _Run(journal, self._client_for, tools).loop()
        except CapabilityBroken as error:
            # Its server may be starting, or its secret about to be stored; after some faults in a row the turn fails.
            return Faulted(events=(), error=str(error), delay_seconds=backoff(journal.turn.faults, None))


class _Run:
    def __init__(self, journal: Journal, client_for: ClientFor, tools: Toolbox) -> None:
        self._journal = journal
        self._client_for = client_for
        self._tools = tools
        # The model call whose intent was written for this claim: the first claim of a turn writes the first one.
        # Any other open call in the log is somebody's who did not live to finish it.
        self._own_call = 1 if journal.turn.attempt == 1 else 0
        self._most_calls = journal.turn.agent.spec.max_model_calls or DEFAULT_MODEL_CALLS
        # Faults in a row before this claim; an answer ends the row.
        self._faults = journal.turn.faults

    async def loop(self) -> Settled | Faulted | Parked:
        end: Settled | Faulted | Parked | None = None
        while end is None:
            match self._journal.conversation.progress.next_step():
                case CallModel() as step:
                    end = await self._go_on(step)
                case RunTools() as step:
                    end = await self._run_tools(step)
                case Finish():
                    end = Settled(events=())
        return end

    async def _go_on(self, step: CallModel) -> Settled | Faulted | Parked | None:
        """With the next model call, unless the turn has shown that it leads nowhere."""
        call, voided = step.call, () if step.abandoned is None else (step.abandoned,)
        if call > self._most_calls:
            error = f"The turn came to its limit of model calls, {self._most_calls}, without an end."
            return Settled(events=voided, reason="no_progress", error=error)
        if self._journal.conversation.progress.is_looping(MAX_SAME_ROUNDS):
            error = f"The same tool calls had the same results {MAX_SAME_ROUNDS} times in a row."
            return Settled(events=voided, reason="no_progress", error=error)
        if self._is_full():
            return await self._compact(voided, call)
        if call != self._own_call:
            await self._append_call(voided, call)
            return None
        return await self._call_model(call)

    async def _append_call(self, events: Sequence[RunnerEvent], call: int) -> None:
        model = self._journal.turn.model
        assert model is not None
        intent = ModelCalled(call=call, model=model, message=MessageId(uuid7()))
        await self._journal.append(events, (intent,), steers_before=call)
        self._own_call = call

    async def _call_model(self, call: int) -> Settled | Faulted | Parked | None:
        """None if the turn goes on with tools."""
        opened = self._journal.conversation.progress.open_call
        assert opened is not None
        void = MessageAbandoned(message=opened.message, call=call)
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                answer = await self._stream(opened)
        except ContextFull as error:
            if self._journal.turn.agent.spec.compaction.when_full == "fail":
                return _failed(error, (void,), self._faults)
            return await self._compact((void,), call)
        except (ModelCallFailed, TimeoutError) as error:
            return _failed(error, (void,), self._faults)
        self._faults = 0
        events = _answer_events(opened, answer)
        requests = [
            ToolRequested(call=call, index=index, id=part.id, name=part.name, arguments=part.arguments)
            for index, part in enumerate(answer.tool_calls)
        ]
        if not requests:
            is_refusal = answer.finish_reason == "content_filter"
            return Settled(events=events, reason="refused" if is_refusal else "end_turn")
        work = self._tools.sort(requests)
        said = (*events, *requests, *work.known)
        if work.asks and not work.run:
            return Parked(events=said, asks=work.asks)
        await self._journal.append(said, [_start(request) for request in work.run])
        return await self._finish_tools(work.run, (), work.asks, call)

    def _is_full(self) -> bool:
        """Whether the agent wants its conversation to be summarised before the next model call."""
        conversation, limit = self._journal.conversation, self._journal.turn.agent.spec.compaction.at_tokens
        return limit is not None and conversation.tokens >= limit and cut(conversation) is not None

    async def _compact(self, voided: Sequence[RunnerEvent], call: int) -> Settled | Faulted | None:
        """Have the conversation summarised, and announce the model call that reads the summary. None if it was."""
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                compacted = await compact(self._journal, self._client_for, voided, call)
        except NothingToCompact:
            error = (
                "The conversation is longer than the model can read, and nothing of it is left to summarise."
            )
            return Settled(events=voided, reason="error", error=error)
        except (ModelCallFailed, TimeoutError) as error:
            return _failed(error, (), self._faults)
        await self._append_call(compacted, call)
        return None

    async def _stream(self, opened: ModelCalled) -> ModelAnswer:
        journal = self._journal
        request = ModelRequest(
            model=opened.model,
            instructions=journal.turn.agent.spec.instructions,
            messages=journal.conversation.context,
            tools=self._tools.specs,
            call=opened.call,
            faults=self._faults,
        )
        offset = 0
        async with aclosing(self._client_for(journal.turn.org, opened.model).stream(request)) as items:
            async for item in items:
                if isinstance(item, TextDelta):
                    journal.preview(opened.message, offset, item.text)
                    offset += len(item.text)
                else:
                    return item
        raise TransientModelError("The model's stream ended without an answer.")

    async def _run_tools(self, step: RunTools) -> Settled | Parked | None:
        """After a recovery or a decision."""
        work = self._tools.sort(step.waiting, step.decided)
        failing = self._tools.sort_lost(step.lost, work)
        if failing is not None:
            return _failed_by_rule(step, failing)
        results: list[RunnerEvent] = work.known
        if work.run:
            await self._journal.append(results, [_start(tool) for tool in work.run])
            results = []
        call = self._journal.conversation.progress.call
        return await self._finish_tools(work.run, results, work.asks, call, is_asked=bool(step.asked))

    async def _finish_tools(
        self,
        requests: Sequence[ToolRequested],
        known: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        call: int,
        is_asked: bool = False,
    ) -> Parked | None:
        """Run the started tools side by side. Each result is logged when it is there, the last with what comes next.

        That is the intent of the next model call or, while `asks` or others (`is_asked`) are open, the wait for them.
        """
        running = {asyncio.create_task(self._run_tool(request)) for request in requests}
        results: list[RunnerEvent] = list(known)
        try:
            while running:
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                results.extend(task.result() for task in done)
                if running:
                    await self._journal.append(results)
                    results = []
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        if asks or is_asked:
            return Parked(events=results, asks=asks)
        if call >= self._most_calls:
            # No call follows that one could announce; the next step is the turn's end.
            await self._journal.append(results)
        else:
            await self._append_call(results, call + 1)
        return None

    async def _run_tool(self, request: ToolRequested) -> ToolCompleted:
        tool = self._tools.find(request.name)
        if tool is None:
            return tool_result(request, "error", self._tools.refusal(request))
        limit = asyncio.timeout(TOOL_SECONDS)
        try:
            async with limit:
                output = await tool.run(self._journal, parse_arguments(request.arguments))
        except (ToolFailed, OutcomeUnknown) as error:
            return tool_result(request, "error" if isinstance(error, ToolFailed) else "unknown", str(error))
        except DomainError:
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody stops this turn: the tool let a cancellation of its own escape.
            log.exception("the tool %s failed", request.name)
            return tool_result(request, "error", "The tool failed.")
        except Exception:
            if limit.expired():
                return tool_result(request, "unknown", f"The tool did not end within {TOOL_SECONDS:g} s.")
            log.exception("the tool %s failed", request.name)
            return tool_result(request, "error", "The tool failed.")
        return tool_result(request, "done", output)


def _failed(
    error: ModelCallFailed | TimeoutError, events: Sequence[RunnerEvent], faults: int
) -> Settled | Faulted:
    """What becomes of a turn whose model gave no answer."""
    match error:
        case TransientModelError(retry_after_seconds=hint):
            return Faulted(events=events, error=str(error), delay_seconds=backoff(faults, hint))
        case TimeoutError():
            return Faulted(events=events, error="The model did not answer in time.", delay_seconds=1.0)
        case _:
            return Settled(events=events, reason="error", error=str(error))


def _failed_by_rule(step: RunTools, failing: ToolRequested) -> Settled:
    unstarted = (*step.waiting, *step.asked, *(one.tool for one in step.decided))
    error = f"The worker that ran {failing.name} was lost, and the tool's rule is to fail the turn then."
    return Settled(
        events=(
            *(tool_result(tool, "unknown", WORKER_LOST) for tool in step.lost),
            *(tool_result(tool, "cancelled", "The turn failed.") for tool in unstarted),
        ),
        reason="error",
        error=error,
    )


def _start(request: ToolRequested) -> ToolStarted:
    return ToolStarted(call=request.call, index=request.index)


def _answer_events(opened: ModelCalled, answer: ModelAnswer) -> tuple[RunnerEvent, ...]:
    return (
        MessageCompleted(message=opened.message, call=opened.call, text=answer.text),
        ModelCompleted(
            call=opened.call,
            model=answer.model,
            provider=answer.provider,
            usage=answer.usage,
            finish_reason=answer.finish_reason,
            simulated=answer.simulated,
        ),
    )
