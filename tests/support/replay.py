"""What the rows of a session must be, from its log alone, and where the log breaks its own rules.

Written apart from the domain on purpose: it knows the words of the log and nothing of how they are decided.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sojourn.domain import budget_events as be
from sojourn.domain import events as e
from sojourn.domain.ids import AskId, BudgetId, InputId, MessageId, SessionId, TurnId
from sojourn.domain.kinds import Delivery, Outcome
from sojourn.domain.log import StoredEvent
from sojourn.domain.turn import TurnStatus
from tests.support.steps import Steps

PRIORITIES = {"human": 1, "agent": 2, "schedule": 3, "policy": 3, "timeout": 3}


@dataclass
class TurnView:
    """`held` says that a worker may write for it."""

    input: InputId
    status: TurnStatus = TurnStatus.QUEUED
    held: bool = False
    attempt: int = 0
    worker: str | None = None
    agent_version: int | None = None
    reason: Outcome | None = None
    error: str | None = None
    parked: bool = False
    open_asks: set[AskId] = field(default_factory=set[AskId])
    steps: Steps = field(default_factory=Steps)
    # What the log says of the turn while nobody holds it: only its end may follow.
    last_words: list[int] = field(default_factory=list[int])


@dataclass
class InputView:
    turn: TurnId
    content: object
    delivery: Delivery
    position: int
    priority: int
    status: str = "queued"
    revision: int = 0


class Replay:
    def __init__(self, spawns: bool) -> None:
        self._spawns = spawns
        self._problems: list[str] = []
        self.seq = 0
        self.status = "open"
        self.archived = False
        self.fence = 0
        self.revision = 0
        self.open_turn: TurnId | None = None
        self.turns: dict[TurnId, TurnView] = {}
        self.inputs: dict[InputId, InputView] = {}
        # What waits to be read, in the order of the queue.
        self.order: list[InputId] = []
        self.asks: dict[AskId, str] = {}
        self.asked_at: dict[AskId, int] = {}
        self.presences: set[str] = set()
        self.messages: set[MessageId] = set()
        self.files: dict[str, tuple[str | None, int, int, bool]] = {}
        self.tokens = Counter[str]()
        self.forked: tuple[SessionId | None, int | None] = (None, None)
        # The turn that a fork found open, perhaps between two events of one transaction.
        self._cut: TurnView | None = None
        # The status of each.
        self.budgets: dict[BudgetId, str] = {}
        self.is_child = False
        self.is_parent = False

    @property
    def queued(self) -> list[InputId]:
        """What waits behind the open turn."""
        head = None if self.open_turn is None else self.turns[self.open_turn].input
        return [id for id, input in self.inputs.items() if input.status == "queued" and id != head]

    def over(self, events: Sequence[tuple[StoredEvent, e.Event | None]]) -> Iterator[str]:
        """Take in the whole log; what is wrong with it."""
        for stored, event in events:
            self.seq = stored.seq
            if event is None:
                self._wrong(f"is a {stored.type} that cannot be read")
            elif (stored.seq == 1) != isinstance(event, e.SessionCreated):
                self._wrong("is not where a session.created stands")
            else:
                self._take(stored.turn, event)
        yield from self._problems

    def _wrong(self, what: str) -> None:
        self._problems.append(f"seq {self.seq} {what}")

    def _must(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self._wrong(otherwise)

    def _take(self, turn: TurnId | None, event: e.Event) -> None:
        match event:
            case e.SessionCreated(parent=parent):
                # It may wait for a budget that its own log does not tell of.
                self.is_child = parent is not None
            case e.SessionForked() | e.SessionImported():
                self._fork(event)
            case (
                e.SessionUpdated()
                | e.SessionEnded()
                | e.SessionExpired()
                | e.SessionReopened()
                | e.SessionRewound()
                | e.SessionTrimmed()
            ):
                self._take_of_session(event)
            case e.LeaseAcquired() | e.LeaseReleased():
                self._take_presence(event)
            case e.InputReceived() | e.InputEdited() | e.InputMoved() | e.InputWithdrawn():
                self._take_input(event)
            case e.TurnQueued():
                self._queue_turn(turn, event)
            case (
                be.BudgetCreated()
                | be.BudgetChanged()
                | be.BudgetWarned()
                | be.BudgetPaused()
                | be.BudgetExhausted()
                | be.BudgetResumed()
            ):
                self._take_budget(event)
            case e.FileWritten() | e.FileDeleted() if turn is None:
                self._must(self.status == "open" and not self.archived, "changes files of a closed session")
                self._take_file(event)
            case _ if turn is None or turn != self.open_turn:
                self._wrong(f"is a {event.type} of a turn that is not open")
            case _:
                self._take_of_turn(turn, self.turns[turn], event)

    def _take_of_session(
        self,
        event: e.SessionUpdated
        | e.SessionEnded
        | e.SessionExpired
        | e.SessionReopened
        | e.SessionRewound
        | e.SessionTrimmed,
    ) -> None:
        match event:
            case e.SessionRewound(to=to):
                self._must(0 < to < self.seq, "rewinds to an event that does not stand before it")
                is_idle = self.open_turn is None and not self.queued and not self.presences
                self._must(is_idle and self.status == "open", "rewinds a session that is not idle")
            case e.SessionTrimmed(first_seq=first_seq):
                self._must(first_seq == self.seq, "cuts the log where it does not stand")
                self._must(self.status != "open", "cuts the log of an open session")
            case e.SessionUpdated(revision=revision, changes=changes):
                self._must(revision == self.revision + 1, "skips a revision")
                self.revision = revision
                self.archived = bool(changes.get("archived", self.archived))
            case e.SessionEnded(status=status):
                self._end(status)
            case e.SessionExpired():
                self._end("expired")
            case e.SessionReopened():
                self._must(self.status != "open", "reopens an open session")
                self.status = "open"

    def _take_budget(self, event: be.BudgetEvent) -> None:
        is_new = isinstance(event, be.BudgetCreated)
        self._must(is_new != (event.budget in self.budgets), "makes a budget again, or tells of none")
        match event:
            case be.BudgetCreated() | be.BudgetResumed():
                self.budgets[event.budget] = "active"
            case be.BudgetChanged(status=status):
                self.budgets[event.budget] = status
            case be.BudgetWarned():
                pass
            case be.BudgetPaused():
                self.budgets[event.budget] = "paused"
            case be.BudgetExhausted():
                self.budgets[event.budget] = "exhausted"

    def _fork(self, event: e.SessionForked | e.SessionImported) -> None:
        """The past stays, and everything that is counted or held begins anew."""
        self._must(event.at == self.seq - 1, "forks from another seq than the one before")
        if isinstance(event, e.SessionForked):
            self.forked = (event.parent, event.at)
        self._cut = None if self.open_turn is None else self.turns[self.open_turn]
        self.status, self.archived = "open", False
        self.fence, self.revision = 0, 0
        self.presences.clear()
        self.budgets.clear()
        self.tokens.clear()

    def _take_presence(self, event: e.LeaseAcquired | e.LeaseReleased) -> None:
        is_new = isinstance(event, e.LeaseAcquired)
        self._must(is_new != (event.holder in self.presences), "acquires a presence again or releases none")
        (self.presences.add if is_new else self.presences.discard)(event.holder)

    def _take_input(self, event: e.InputReceived | e.InputEdited | e.InputMoved | e.InputWithdrawn) -> None:
        if isinstance(event, e.InputReceived):
            self._must(self.status == "open" and not self.archived, "is received by a closed session")
            self._must(event.input not in self.inputs, "receives an input again")
            priority = 0 if event.delivery == "interrupt" else PRIORITIES[event.by.kind]
            self.inputs[event.input] = InputView(
                event.turn, event.content, event.delivery, self.seq, priority
            )
            elders = [id for id in self.order if self.inputs[id].priority <= priority]
            self.order.insert(len(elders), event.input)
            return
        input = self.inputs[event.input]
        self._must(input.status == "queued", f"changes an input that is {input.status}")
        if isinstance(event, e.InputEdited):
            self._must(event.revision == input.revision + 1, "skips a revision of an input")
            input.content, input.revision = event.content, event.revision
        elif isinstance(event, e.InputMoved):
            self._must(event.revision == input.revision + 1, "skips a revision of an input")
            input.revision = event.revision
            self._move_input(event, input)
        else:
            input.status = "withdrawn"
            self.order.remove(event.input)

    def _move_input(self, event: e.InputMoved, input: InputView) -> None:
        self.order.remove(event.input)
        if event.before is not None:
            self._must(event.before in self.order, "moves an input before one that does not wait")
            self.order.insert(self.order.index(event.before), event.input)
            input.priority = self.inputs[event.before].priority
            return
        if self.order:
            input.priority = self.inputs[self.order[-1]].priority
        self.order.append(event.input)

    def _defer_turn(self, id: TurnId, turn: TurnView, event: e.TurnDeferred) -> None:
        self._must(not turn.attempt and turn.input == event.input, "defers a turn that somebody has claimed")
        del self.turns[id]
        self.open_turn = None

    def _queue_turn(self, id: TurnId | None, event: e.TurnQueued) -> None:
        input = self.inputs[event.input]
        self._must(self.open_turn is None, "queues a second open turn")
        self._must(not self.presences, "starts a turn of a session that is driven elsewhere")
        self._must(self.status == "open", "starts a turn of an ended session")
        self._must(input.status == "queued" and input.turn == id, "queues a turn for another input's id")
        self._must(self.order[0] == event.input, "starts an input that is not the first of the queue")
        assert id is not None
        self.turns[id] = TurnView(event.input)
        self.open_turn = id

    def _end(self, status: str) -> None:
        self._must(self.status == "open", "ends what was ended")
        self._must(self.open_turn is None, "ends a session with an open turn")
        self._must(not self.queued, "ends a session with queued inputs")
        self.status = status
        self.presences.clear()

    def _take_of_turn(self, id: TurnId, turn: TurnView, event: e.Event) -> None:
        match event:
            case e.TurnStarted():
                self._start(turn, event)
            case e.TurnDeferred():
                self._defer_turn(id, turn, event)
            case e.InputDelivered(input=input_id):
                input = self.inputs[input_id]
                self._must(input.status == "queued", f"delivers an input that is {input.status}")
                self._must(turn.held, "delivers an input to a turn that nobody holds")
                if input_id != turn.input:
                    self._must(input.delivery == "steer", "delivers another turn's input")
                    self._runs(turn)
                input.status, input.turn = "delivered", id
                self.order.remove(input_id)
            case e.AskOpened(ask=ask, kind=kind):
                self.is_parent |= kind == "session"
                self._must(turn.held, "opens an ask of a turn that nobody holds")
                self._problems.extend(f"seq {self.seq} {problem}" for problem in turn.steps.ask(event))
                self.asks[ask], self.asked_at[ask] = "open", self.seq
                turn.open_asks.add(ask)
            case e.AskDecided(ask=ask):
                self._must(self.asks.get(ask) == "open", "decides an ask that is not open")
                self.asks[ask] = "decided"
                turn.steps.decide(ask)
                turn.open_asks.discard(ask)
            case e.TurnWaiting() | e.TurnResumed() | e.TurnRetried() | e.TurnReclaimed():
                self._move(turn, event)
            case e.TurnCompleted() | e.TurnFailed() | e.TurnCancelled():
                self._close(turn, event)
            case _:
                self._step(turn, event)

    def _take_file(self, event: e.FileWritten | e.FileDeleted) -> None:
        if isinstance(event, e.FileWritten):
            self.files[event.path] = (event.sha256, event.size, self.seq, event.readonly)
            return
        gone = [path for path in self.files if f"{path}/".startswith(f"{event.path}/")]
        self._must(bool(gone), "deletes what is not there")
        for path in gone:
            del self.files[path]

    def _start(self, turn: TurnView, event: e.TurnStarted) -> None:
        claimable = turn.status in (TurnStatus.QUEUED, TurnStatus.RETRYING)
        self._must(claimable and not turn.held, "claims a turn that another holds")
        self._must(event.attempt == turn.attempt + 1, "skips an attempt")
        self._must(turn.agent_version in (None, event.agent_version), "changes the version of a pinned agent")
        turn.attempt, turn.worker, turn.agent_version = event.attempt, event.worker, event.agent_version
        turn.status = TurnStatus.STARTING if self._spawns else TurnStatus.RUNNING
        turn.held = True
        turn.steps.new_claim()
        self.fence += 1

    def _runs(self, turn: TurnView) -> None:
        if turn.status is TurnStatus.STARTING:
            turn.status = TurnStatus.RUNNING

    def _move(
        self, turn: TurnView, event: e.TurnWaiting | e.TurnResumed | e.TurnRetried | e.TurnReclaimed
    ) -> None:
        if isinstance(event, e.TurnResumed):
            self._must(turn.status is TurnStatus.WAITING and not turn.open_asks, "resumes what still waits")
            turn.status = TurnStatus.QUEUED if turn.parked else TurnStatus.RUNNING
            turn.parked = False
            return
        self._must(turn.held, f"is a {event.type} of a turn that nobody holds")
        if isinstance(event, e.TurnWaiting):
            turn.status = TurnStatus.WAITING
            turn.parked = event.mode == "parked"
            # What sessions below have used up may have paused a budget of its own, of which its log is told later.
            is_paused = "paused" in self.budgets.values() or (self.is_parent and bool(self.budgets))
            waits_for_budget = (self.is_child or is_paused) and turn.parked
            self._must(bool(turn.open_asks) or waits_for_budget, "waits for nothing")
            if not turn.parked:
                return
        else:
            turn.status, turn.worker = TurnStatus.RETRYING, None
        turn.held = False
        self.fence += 1

    def _close(self, turn: TurnView, event: e.TurnCompleted | e.TurnFailed | e.TurnCancelled) -> None:
        self._must(turn.held or not isinstance(event, e.TurnCompleted), "completes a turn that nobody holds")
        match event:
            case e.TurnCompleted():
                turn.status = TurnStatus.COMPLETED
            case e.TurnFailed(error=error):
                turn.status, turn.error = TurnStatus.FAILED, error
                self._must(turn.held or event.reason == "no_progress", "fails a turn that nobody holds")
            case e.TurnCancelled():
                turn.status = TurnStatus.CANCELLED
                self.fence += 1
        for problem in turn.steps.unfinished(is_fork=turn is self._cut):
            self._wrong(problem)
        for ask in turn.open_asks:
            self.asks[ask] = "void"
        turn.reason = event.reason
        turn.held, turn.parked = False, False
        turn.open_asks.clear()
        turn.last_words.clear()
        self.open_turn = None

    def _step(self, turn: TurnView, event: e.Event) -> None:
        if not turn.held:
            turn.last_words.append(self.seq)
            closes = isinstance(event, e.MessageAbandoned | e.MessageCompleted | e.ToolCompleted)
            self._must(closes, f"is a {event.type} of a turn that nobody holds")
        self._runs(turn)
        for problem in turn.steps.take(event):
            self._wrong(problem)
        match event:
            case e.MessageCompleted(message=message) | e.MessageAbandoned(message=message):
                self._must(message not in self.messages, "ends a message again")
                self.messages.add(message)
            case e.ModelCompleted(usage=usage) | e.UsageRecorded(usage=usage):
                self.tokens += Counter(
                    input=usage.input_tokens,
                    output=usage.output_tokens,
                    cache_read=usage.cache_read_tokens,
                    cache_write=usage.cache_write_tokens,
                )
            case e.FileWritten() | e.FileDeleted():
                self._take_file(event)
            case _:
                pass
