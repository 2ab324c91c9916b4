"""A decision in the making: the state as it will be, and what the log will say of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sojourn.domain.actor import Actor
from sojourn.domain.ask import Ask
from sojourn.domain.books import Books
from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.budget_events import BudgetEvent
from sojourn.domain.errors import WrongState
from sojourn.domain.events import (
    Event,
    InputDelivered,
    InputWithdrawn,
    TurnCancelled,
    TurnDeferred,
    TurnQueued,
)
from sojourn.domain.fold import Unfinished
from sojourn.domain.ids import AskId, InputId, SessionId, TurnId
from sojourn.domain.input import Input
from sojourn.domain.kinds import Outcome
from sojourn.domain.log import NewEvent
from sojourn.domain.policy import (
    NO_POLICY,
    Timer,
    TimerKind,
    after,
    start_deadline,
    turn_deadline,
)
from sojourn.domain.queue import Shift
from sojourn.domain.session import Session, SessionStatus, activity, idle_deadline_of, lifetime_deadline_of
from sojourn.domain.turn import HELD, Move, Turn, TurnStatus, next_status


@dataclass(frozen=True, slots=True)
class InputMark:
    """The end of an input's wait: read by `turn`, or withdrawn."""

    input: InputId
    status: Literal["delivered", "withdrawn"]
    turn: TurnId | None = None


TurnLease = Literal["keep", "acquire", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a verb loads under the session's lock.

    `turn` is the open turn, `head` the next queued input behind the one that it was made for, `budgets` are the
    session's that are not disabled.
    """

    session: Session
    turn: Turn | None = None
    head: Input | None = None
    budgets: tuple[Budget, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What one command changes. `events` get the seqs from `first_seq`; `lease` is the fate of the turn's lease.

    `inputs` are new or changed ones, `marks` what became of others; `entries` are those of the ledgers of `budgets`,
    and `told` what there is to say in the logs of other sessions, whose budgets they are.
    `deferred` are turns that are none any more, `shift` what the other queued inputs do to make room for a moved one.
    """

    session: Session
    events: tuple[NewEvent, ...]
    first_seq: int
    turns: tuple[Turn, ...] = ()
    inputs: tuple[Input, ...] = ()
    marks: tuple[InputMark, ...] = ()
    asks: tuple[Ask, ...] = ()
    timers: tuple[Timer, ...] = ()
    budgets: tuple[Budget, ...] = ()
    entries: tuple[BudgetEntry, ...] = ()
    told: tuple[tuple[SessionId, BudgetEvent], ...] = ()
    lease: TurnLease = "keep"
    deferred: tuple[TurnId, ...] = ()
    shift: Shift | None = None


class Draft:
    """Collects what a command changes; `done` closes it with the derived facts (activity, seq, deadlines)."""

    def __init__(self, state: State, now: datetime) -> None:
        self._state = state
        self.session = state.session
        self.turn = state.turn
        self.head = state.head
        self.now = now
        self.lease: TurnLease = "keep"
        self.shift: Shift | None = None
        self._deferred: list[TurnId] = []
        self._events: list[NewEvent] = []
        self._turns: dict[TurnId, Turn] = {}
        self._inputs: dict[InputId, Input] = {}
        self._marks: list[InputMark] = []
        self._asks: dict[AskId, Ask] = {}
        self.books = Books(state.budgets, state.session.id, now)
        # How many of the events have been looked at for what they use up.
        self._metered = 0
        self._metered_at = None if state.turn is None else state.turn.metered_at

    @property
    def next_seq(self) -> int:
        return self._state.session.next_seq + len(self._events)

    def say(self, event: Event, turn: TurnId | None = None) -> None:
        self._events.append(NewEvent(event, turn))

    def say_for_turn(self, events: Iterable[Event]) -> None:
        turn = self.open_turn().id
        self._events.extend(NewEvent(event, turn) for event in events)

    def open_turn(self) -> Turn:
        if self.turn is None:
            raise WrongState("session", self.session.activity, "do this without an open turn")
        return self.turn

    def put_turn(self, turn: Turn) -> None:
        self._turns[turn.id] = turn
        self.turn = turn if turn.status.is_open else None
        self.session = replace(self.session, open_turn=turn.id if turn.status.is_open else None)

    def put_input(self, input: Input) -> None:
        self._inputs[input.id] = input

    def put_ask(self, ask: Ask) -> None:
        self._asks[ask.id] = ask

    def advance_fence(self) -> None:
        """Whoever held the turn can write for it no more."""
        self.session = replace(self.session, fence=self.session.fence + 1)

    def close_turn(self, move: Move, reason: Outcome, error: str | None = None) -> None:
        turn = self.open_turn()
        status = next_status(turn.status, move)
        closed = replace(
            turn,
            status=status,
            reason=reason,
            error=error,
            ended_at=self.now,
            open_asks=0,
            parked=False,
            not_before=None,
        )
        self.put_turn(closed)
        self.lease = "release"

    def stop_turn(self, by: Actor, reason: Outcome, unfinished: Unfinished) -> None:
        """End the open turn from outside: the fence moves on, and what it left open gets its end.

        An input that no claim has delivered yet is withdrawn, so that it never will be.
        """
        turn = self.open_turn()
        if turn.attempt == 0:
            self.withdraw(turn.input, by)
        self.cut_turn(by, reason, unfinished)

    def cut_turn(self, by: Actor, reason: Outcome, unfinished: Unfinished) -> None:
        """End the open turn, whatever became of its input."""
        turn = self.open_turn()
        self.say_for_turn(unfinished.closing("cancelled", f"The turn was stopped: {reason}."))
        self.say(TurnCancelled(reason=reason, by=by), turn.id)
        self.advance_fence()
        self.close_turn(Move.CANCEL, reason)

    def withdraw(self, input: InputId, by: Actor) -> None:
        self._marks.append(InputMark(input, "withdrawn"))
        self.say(InputWithdrawn(input=input, by=by))

    def deliver(self, input: InputId, turn: TurnId, call: int) -> None:
        self._marks.append(InputMark(input, "delivered", turn))
        self.say(InputDelivered(input=input, call=call), turn)

    def queue_turn(self, input: Input) -> None:
        """Make `input` the head: its turn exists from now on."""
        self.say(TurnQueued(input=input.id), input.turn)
        turn = Turn(
            id=input.turn,
            input=input.id,
            runner=self.session.runner,
            status=TurnStatus.QUEUED,
            created_at=self.now,
            first_seq=self.next_seq - 1,
            model=input.model,
        )
        self.put_turn(turn)
        self.session = replace(self.session, turns=self.session.turns + 1)

    def defer_turn(self, by: Actor) -> None:
        """Put the input of an open turn that nobody has claimed back into the queue."""
        turn = self.open_turn()
        self.say(TurnDeferred(input=turn.input, by=by), turn.id)
        self._deferred.append(turn.id)
        self.turn = None
        session = self.session
        self.session = replace(
            session, open_turn=None, turns=session.turns - 1, queued_inputs=session.queued_inputs + 1
        )

    def queue_head(self) -> None:
        """Give the next queued input its turn, unless somebody outside drives the session."""
        if self.turn is not None or self.head is None or self.session.presences:
            return
        self.queue_turn(self.head)
        self.session = replace(self.session, queued_inputs=self.session.queued_inputs - 1)
        self.head = None

    def meter(self, is_check: bool = False) -> None:
        """Charge what was said so far to the session's budgets; the time too, before a check and when it is over."""
        if not self.books:
            return
        first, self._metered = self._metered, len(self._events)
        for index, new in enumerate(self._events[first : self._metered], first):
            for event in self.books.meter(new.event, new.turn, self._state.session.next_seq + index):
                self.say(event, new.turn)
        turn, is_over = self._state.turn, self.lease == "release"
        if turn is None:
            return
        is_held = turn.status in HELD and not turn.parked
        if is_held and (is_check or is_over):
            for event in self.books.meter_time(turn.id, self._metered_at):
                self.say(event, turn.id)
            self._metered_at = self.now
        # A turn that its budget refused at the first claim, or that was stopped before it, has used nothing up.
        if turn.attempt and turn.id in self._turns and not self._turns[turn.id].status.is_open:
            for event in self.books.meter_turn(turn.id):
                self.say(event, turn.id)

    def _note_time(self) -> None:
        """Keep with the turn up to when its time is charged: that may be at work in many turns of a tree at once."""
        turn = self._state.turn
        if turn is None or not self.books.counts_time:
            return
        turn = self._turns.get(turn.id, turn)
        match self.lease:
            case "acquire":
                metered_at = self.now
            case "release":
                metered_at = None
            case "keep":
                metered_at = self._metered_at
        if metered_at == turn.metered_at:
            return
        self._turns[turn.id] = turn = replace(turn, metered_at=metered_at)
        if self.turn is not None and self.turn.id == turn.id:
            self.turn = turn

    def done(self, is_activity: bool) -> Decision:
        """`is_activity` says whether the command counts against the session's idleness."""
        self.meter()
        self._note_time()
        session = self.session
        before = self._state.session
        status = None if self.turn is None else self.turn.status
        doing = activity(session.status, status, session.queued_inputs, session.presences)
        stays = session.status is before.status and doing is before.activity
        if session.kin.awaited and self._is_at_rest():
            session = replace(session, kin=replace(session.kin, awaited=False))
        session = replace(
            session,
            next_seq=self.next_seq,
            activity=doing,
            active_at=self.now if is_activity else session.active_at,
            stated_status=session.stated_status if stays else None,
        )
        # What is only noted of its relations is no change of the session that anybody sees.
        if self._events or replace(session, kin=before.kin) != before:
            session = replace(session, updated_at=self.now)
        return Decision(
            session=session,
            events=tuple(self._events),
            first_seq=self._state.session.next_seq,
            turns=tuple(self._turns.values()),
            inputs=tuple(self._inputs.values()),
            marks=tuple(self._marks),
            asks=tuple(self._asks.values()),
            timers=moved_timers(self._state, State(session=session, turn=self.turn)),
            budgets=self.books.changed,
            entries=tuple(self.books.entries),
            told=tuple(self.books.told),
            lease=self.lease,
            deferred=tuple(self._deferred),
            shift=self.shift,
        )

    def _is_at_rest(self) -> bool:
        """Whether nothing follows the turn that was closed, or could follow."""
        if self.session.status is not SessionStatus.OPEN:
            return True
        return self.turn is None and any(not turn.status.is_open for turn in self._turns.values())


def moved_timers(before: State | None, after: State) -> tuple[Timer, ...]:
    """The deadlines that differ between two states. A session without a policy pays for the start of turns only."""
    if not _may_have_deadlines(after) and (before is None or not _may_have_deadlines(before)):
        return ()
    due_before = {} if before is None else deadlines(before)
    return tuple(
        Timer(kind, due_at) for kind, due_at in deadlines(after).items() if due_before.get(kind) != due_at
    )


def _may_have_deadlines(state: State) -> bool:
    is_starting = state.turn is not None and state.turn.status is TurnStatus.STARTING
    return is_starting or state.session.policy is not NO_POLICY


def deadlines(state: State) -> dict[TimerKind, datetime | None]:
    """When policy acts on a session if nothing happens before."""
    session, turn, policy = state.session, state.turn, state.session.policy
    due: dict[TimerKind, datetime | None] = {
        "idle": idle_deadline_of(session),
        "lifetime": lifetime_deadline_of(session),
        "turn": None,
        "start": None,
        "log": None if session.ended_at is None else after(session.ended_at, policy.retain_log_seconds),
        "retain": None if session.ended_at is None else after(session.ended_at, policy.retain_seconds),
    }
    if turn is not None:
        due["turn"] = turn_deadline(policy, turn.started_at)
        if turn.status is TurnStatus.STARTING and turn.claimed_at is not None:
            due["start"] = start_deadline(policy, turn.claimed_at)
    return due
