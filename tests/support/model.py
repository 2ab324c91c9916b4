"""One session as plain values: the domain's decisions, written down in dictionaries instead of a database."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from sojourn.domain.ask import Ask
from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.commands import Command
from sojourn.domain.decide import decide
from sojourn.domain.draft import Decision, State
from sojourn.domain.events import Event
from sojourn.domain.fold import Conversation, Unfinished
from sojourn.domain.ids import AskId, BudgetId, InputId, TurnId
from sojourn.domain.input import Input
from sojourn.domain.kinds import Delivery
from sojourn.domain.log import LogEntry
from sojourn.domain.policy import TimerKind
from sojourn.domain.session import Session, SessionStatus
from sojourn.domain.turn import Turn


@dataclass
class Model:
    session: Session
    turns: dict[TurnId, Turn] = field(default_factory=dict[TurnId, Turn])
    inputs: dict[InputId, Input] = field(default_factory=dict[InputId, Input])
    asks: dict[AskId, Ask] = field(default_factory=dict[AskId, Ask])
    presences: set[str] = field(default_factory=set[str])
    timers: dict[TimerKind, datetime] = field(default_factory=dict[TimerKind, datetime])
    budgets: dict[BudgetId, Budget] = field(default_factory=dict[BudgetId, Budget])
    entries: list[BudgetEntry] = field(default_factory=list[BudgetEntry])
    log: list[LogEntry] = field(default_factory=list[LogEntry])
    # Whether somebody holds the open turn.
    is_held: bool = False

    @property
    def turn(self) -> Turn | None:
        return None if self.session.open_turn is None else self.turns[self.session.open_turn]

    def begin(self, event: Event) -> None:
        """The first entry of the log, which creation writes without a command."""
        self.log.append(LogEntry(1, None, event.type, event))

    def queue(self, steers_only: bool = False) -> list[Input]:
        """What waits behind the open turn, in the order in which it will be taken."""
        waiting = [
            input
            for input in self.inputs.values()
            if input.status == "queued"
            and input.turn not in self.turns
            and (input.delivery == "steer" or not steers_only)
        ]
        return sorted(waiting, key=lambda input: input.place)

    def state(self) -> State:
        queue = self.queue()
        enabled = [budget for budget in self.budgets.values() if budget.status != "disabled"]
        enabled.sort(key=lambda budget: budget.id)
        return State(
            session=self.session,
            turn=self.turn,
            head=queue[0] if queue else None,
            budgets=tuple(enabled),
        )

    def dismissed_by(self, delivery: Delivery) -> tuple[Ask, ...]:
        """The open asks that an input denies by its coming."""
        if delivery != "steer" or self.turn is None or not self.turn.parked:
            return ()
        return tuple(ask for ask in self.asks.values() if ask.status == "open" and ask.turn == self.turn.id)

    def unclaimed(self) -> Input | None:
        """The input of the open turn, if nobody has claimed it yet."""
        return None if self.turn is None or self.turn.attempt else self.inputs[self.turn.input]

    def last_queued(self, other_than: InputId) -> Input | None:
        queued = [one for one in self.inputs.values() if one.status == "queued" and one.id != other_than]
        return max(queued, key=lambda one: one.place, default=None)

    def unfinished(self) -> Unfinished:
        """What the open turn has begun and not ended."""
        if self.turn is None or self.turn.attempt == 0:
            return Unfinished()
        return self.conversation().progress.unfinished()

    def conversation(self) -> Conversation:
        return Conversation().extend(self.log)

    def apply(self, command: Command, now: datetime) -> Decision:
        """Decide and write down; whatever `decide` raises leaves everything as it was."""
        former = self.turn
        decision = decide(self.state(), command, now)
        self.session = decision.session
        for deferred in decision.deferred:
            del self.turns[deferred]
        self.turns |= {turn.id: turn for turn in decision.turns}
        if decision.shift is not None:
            self.inputs = {id: decision.shift.over(input) for id, input in self.inputs.items()}
        self.inputs |= {input.id: input for input in decision.inputs}
        for mark in decision.marks:
            marked = self.inputs[mark.input]
            self.inputs[mark.input] = replace(marked, status=mark.status, turn=mark.turn or marked.turn)
        self.asks |= {ask.id: ask for ask in decision.asks}
        self.budgets |= {budget.id: budget for budget in decision.budgets}
        self.entries.extend(decision.entries)
        for timer in decision.timers:
            if timer.due_at is None:
                self.timers.pop(timer.kind, None)
            else:
                self.timers[timer.kind] = timer.due_at
        for seq, new in enumerate(decision.events, decision.first_seq):
            self.log.append(LogEntry(seq, new.turn, new.event.type, new.event))
        self.is_held = self.is_held if decision.lease == "keep" else decision.lease == "acquire"
        self._close_waits(former)
        return decision

    def _close_waits(self, former: Turn | None) -> None:
        if self.session.status is not SessionStatus.OPEN:
            self.presences.clear()
        if former is not None and self.session.open_turn != former.id:
            for ask in list(self.asks.values()):
                if ask.turn == former.id and ask.status == "open":
                    self.asks[ask.id] = replace(ask, status="void")
