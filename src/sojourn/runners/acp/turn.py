"""One claim of a turn: the agent's program is asked, and what it does is written down as it tells of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import Final

from sojourn.domain.ask import NewAsk, denial
from sojourn.domain.content import Usage
from sojourn.domain.events import ModelCalled, RunnerEvent, UsageRecorded
from sojourn.domain.ids import MessageId, uuid7
from sojourn.domain.tool_policy import ToolRule
from sojourn.ports.endings import Faulted, Parked, Settled
from sojourn.ports.turns import Journal
from sojourn.runners.acp.live import KIND, Live
from sojourn.runners.acp.policy import ALLOW, DENY, answer, ask_about, is_for_good, rule_for_call
from sojourn.runners.acp.recovery import Standing
from sojourn.runners.acp.scribe import Scribe, ToolCall
from sojourn.runners.acp.updates import Cost, Decided, Ended, Feed, FileRequest, Item, Permission

# A program that tells of a call as running may be about to ask about it: the log waits that long before it says so.
SETTLE_SECONDS: Final = 0.4
# A program that was lost is started again, after a while that doubles.
RETRY_SECONDS: Final = 0.5


class Unasked(Exception):
    """A question could not be put, or waited for, and `reason` is why."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__(str(reason))
        self.reason = reason


class HeldTooLong(Exception):
    """Nobody has decided for so long that the program is ended, and the turn waits without it."""


@dataclass(slots=True)
class Asked:
    """A question that somebody has to decide. `task` waits for that."""

    tool: ToolCall
    task: asyncio.Task[None]


@dataclass(slots=True)
class Talk:
    """`standing` is where the turn stood when it was claimed, `cost_usd` what the prompt has cost as far as is told."""

    journal: Journal
    live: Live
    standing: Standing
    scribe: Scribe = field(init=False)
    feed: Feed = field(init=False)
    asked: dict[str, Asked] = field(default_factory=dict[str, Asked])
    cost_usd: Decimal | None = None
    # What was decided for good in this claim; the next one finds it among its agent's rules.
    rules: dict[str, ToolRule] = field(default_factory=dict[str, ToolRule])

    async def run(self) -> Settled | Faulted | Parked:
        """Ask, and again for every steer that came while the program answered."""
        try:
            events: Sequence[RunnerEvent] = await self._begin()
            while True:
                ended = await self._listen()
                if ended.error is not None:
                    return await self._broken(ended.error)
                events = await self._finish(ended)
                await self.journal.catch_up()
                if not self.journal.conversation.has_waiting_inputs or ended.reason != "end_turn":
                    return _settled(events, ended.reason)
                if not await self._steered(events):
                    return Settled(events=())
        finally:
            for asked in self.asked.values():
                asked.task.cancel()

    async def _begin(self) -> Sequence[RunnerEvent]:
        journal, live = self.journal, self.live
        said: list[RunnerEvent] = [*self.standing.events]
        if live.link is not None:
            said.append(live.link)
        call = self._call(self.standing.call)
        await journal.append(said, [call], steers_before=call.call)
        if live.link is not None:
            live.link, live.linked_seq = None, journal.conversation.linked_seq
        texts = self.standing.prompt(journal, live.is_new)
        self._ask_program(call, texts)
        return ()

    async def _steered(self, events: Sequence[RunnerEvent]) -> bool:
        """Whether a steer was waiting, which the program is told of now. An input of a turn of its own waits on."""
        journal, call = self.journal, self.scribe.call + 1
        known = len(journal.conversation.messages)
        await journal.append(events, steers_before=call)
        # The answer itself is among the new messages, and never one of a user.
        steers = [message.text for message in journal.conversation.messages[known:] if message.role == "user"]
        if not steers:
            return False
        intent = self._call(call)
        await journal.append((), [intent])
        self._ask_program(intent, steers)
        return True

    def _call(self, call: int) -> ModelCalled:
        name, model = self.live.config.name, self.live.model or self.live.session.model
        return ModelCalled(call=call, model=f"{name}/{model}" if model else name, message=MessageId(uuid7()))

    def _ask_program(self, call: ModelCalled, texts: Sequence[str]) -> None:
        self.scribe = Scribe(call, self.journal.preview)
        self.feed = self.live.connection.prompt(self.live.session.id, texts)

    async def _listen(self) -> Ended:
        """Until the program is done: write down what it tells, answer what it asks."""
        scribe = self.scribe
        while True:
            is_holding_back = scribe.is_holding_back
            patience = self.live.config.held_seconds if self.asked else None
            items = await self.feed.take(SETTLE_SECONDS if is_holding_back else patience)
            if not items and not is_holding_back:
                return Ended(error=HeldTooLong())
            if not items:
                scribe.settle()
            for item in items:
                if isinstance(item, Ended):
                    return item
                await self._take(item)
            await self._write()

    async def _write(self) -> None:
        events, intents = self.scribe.take()
        if events or intents:
            await self.journal.append(events, intents)

    async def _take(self, item: Item) -> None:
        match item:
            case Permission():
                await self._permit(item)
            case Decided():
                await self._decide(item)
            case FileRequest():
                await self._file(item)
            case Cost(usd=usd):
                self._spend(usd)
            case Ended():
                pass
            case _:
                self.scribe.hear(item)

    async def _permit(self, permission: Permission) -> None:
        """By rule, by what was decided before the program was lost, or by asking. The log knows before the program."""
        scribe, spec = self.scribe, self.journal.turn.agent.spec
        known = scribe.tools.get(permission.tool.id)
        # A question may show the input in another way than the call has it.
        is_known = known is not None and bool(known.input)
        tool = scribe.tool(replace(permission.tool, input=None) if is_known else permission.tool)
        scribe.request(tool)
        name, rule = rule_for_call({**spec.tool_policy, **self.rules}, tool)
        if rule == "ask" and self.standing.take_allowed(tool):
            rule = "allow"
        tool.is_asked = rule == "ask"
        if rule == "allow":
            scribe.start(tool)
        elif rule == "deny":
            scribe.deny(tool, name)
        await self._write()
        if rule == "ask":
            task = asyncio.create_task(self._wait(permission, ask_about(tool, permission, spec)))
            task.add_done_callback(partial(_tell_failure, self.feed))
            self.asked[tool.id] = Asked(tool, task)
        else:
            permission.choose(ALLOW if rule == "allow" else DENY)

    async def _wait(self, permission: Permission, ask: NewAsk) -> None:
        feed = self.feed
        decided = await self.journal.ask([ask])
        feed.put(Decided(permission, decided[ask.id]))

    async def _decide(self, item: Decided) -> None:
        """The call's start is in the log before the program hears that it may."""
        tool = self.asked.pop(item.permission.tool.id).tool
        tool.is_asked = False
        request = self.scribe.request(tool)
        decided = item.decided
        if is_for_good(decided):
            self.rules[tool.name] = "allow" if decided.decision == "allow" else "deny"
        if decided.decision == "allow" and not tool.is_completed:
            self.scribe.start(tool)
        else:
            self.scribe.close(tool, "error", denial(request, decided).output)
        await self._write()
        answer(item.permission, decided)

    async def _file(self, request: FileRequest) -> None:
        """A refusal is the program's to handle."""
        workspace = self.live.workspace
        try:
            if request.content is None:
                text = await workspace.read(request.path)
            else:
                text = request.content
                await workspace.write(self.journal, request.path, text)
        except OSError as error:
            request.answer.set_exception(error)
        else:
            request.answer.set_result(text)

    def _spend(self, usd: Decimal) -> None:
        """Told is what the program's session has cost so far; of one that was loaded nobody knows the beginning."""
        former, self.live.cost_usd = self.live.cost_usd, usd
        if former is not None and usd >= former:
            self.cost_usd = (self.cost_usd or Decimal(0)) + usd - former

    async def _finish(self, ended: Ended) -> Sequence[RunnerEvent]:
        if self.live.config.cwd is None:
            await self.live.workspace.bring_in(self.journal)
        self.scribe.finish(ended)
        # An intent that is followed by its own answer is no intent any more.
        events, intents = self.scribe.take()
        usage, cost = ended.usage, self.cost_usd
        self.cost_usd = None
        if usage is None and cost is None:
            return [*events, *intents]
        used = replace(usage or Usage(), cost_usd=cost)
        return [*events, *intents, UsageRecorded(source=f"{KIND}/{self.live.config.name}", usage=used)]

    async def _broken(self, error: Exception) -> Settled | Faulted | Parked:
        """The program refused the prompt, or is not there any more. What it left open is closed, but for questions."""
        if isinstance(error, Unasked):
            raise error.reason
        name = self.live.config.name
        if not isinstance(error, ConnectionError | HeldTooLong):
            events = self.scribe.abandon("The agent ended its answer with an error.")
            words = self.live.program.without_secrets(_words(error))
            return Settled(events=events, reason="error", error=f"{name} refused the prompt: {words}")
        if isinstance(error, HeldTooLong):
            return Parked(events=self.scribe.abandon("worker lost", keep=self.asked), asks=())
        program = self.live.program
        await program.ended()
        events = self.scribe.abandon("worker lost", keep=self.asked)
        if any(not asked.tool.is_started for asked in self.asked.values()):
            # Whoever decides does so in their own time; the turn goes on with a new program then.
            return Parked(events=events, asks=())
        status = program.process.returncode
        said = program.complaint or "it said nothing"
        delay = RETRY_SECONDS * 2**self.journal.turn.faults
        return Faulted(
            events=events,
            error=f"{name} ended with status {status} while it answered: {said}",
            delay_seconds=delay,
        )


def _tell_failure(feed: Feed, task: asyncio.Task[None]) -> None:
    """Nobody else looks at the task, and the program would wait for its answer for good."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        feed.put(Ended(error=Unasked(error)))


def _settled(events: Sequence[RunnerEvent], reason: str) -> Settled:
    """Why the program stopped, in the words of a turn's outcome."""
    match reason:
        case "refusal":
            return Settled(events=events, reason="refused")
        case "cancelled":
            return Settled(events=events, reason="interrupted")
        case "max_turn_requests":
            error = "The agent came to its own limit of model calls in a turn."
            return Settled(events=events, reason="no_progress", error=error)
        case _:
            return Settled(events=events)


def _words(error: Exception) -> str:
    details = getattr(error, "data", None)
    return f"{error} ({details})" if details else str(error)
