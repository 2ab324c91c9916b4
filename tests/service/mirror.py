"""A session in a real store and the same session as plain values, which must never differ."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sojourn.domain.actor import TIMEOUT
from sojourn.domain.budget import BudgetEntry
from sojourn.domain.commands import (
    CancelTurn,
    Command,
    DecideAsk,
    ExpireSession,
    FirstCall,
    ReclaimTurn,
    WithdrawInput,
)
from sojourn.domain.draft import deadlines
from sojourn.domain.errors import DomainError
from sojourn.domain.events import MessageAbandoned, MessageCompleted, ModelCalled
from sojourn.domain.fold import Unfinished
from sojourn.domain.ids import BudgetId, MessageId, SessionId
from sojourn.domain.log import LogEntry
from sojourn.domain.policy import TimerKind
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import SessionStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.codec import read_entry
from sojourn.service.sessions import NewSession
from sojourn.store import rows
from tests.support.invariants import check_session
from tests.support.model import Model
from tests.support.snapshot import Tables, take
from tests.support.world import World

T = TypeVar("T")


def place(entry: BudgetEntry) -> tuple[BudgetId, int]:
    return entry.budget, entry.number


@dataclass
class Mirror:
    """`claims` are all that were ever made, the last of them perhaps still good. `partial` is what previews said."""

    world: World
    runner: asyncio.Runner
    record: SessionRecord
    model: Model
    claims: list[ClaimedTurn] = field(default_factory=list[ClaimedTurn])
    partial: tuple[MessageId, str] | None = None

    @classmethod
    def of(cls, world: World, runner: asyncio.Runner, new: NewSession) -> "Mirror":
        return cls.of_stored(world, runner, runner.run(world.new_session(new)))

    @classmethod
    def of_stored(cls, world: World, runner: asyncio.Runner, id: SessionId) -> "Mirror":
        """A session that nobody is at, as it is stored."""
        record = runner.run(world.record(id))
        mirror = cls(world, runner, record, Model(record.session))
        snapshot = runner.run(take(world.store.reads, Tables(world.database.query, world.org), record))
        mirror.model.turns = {turn.id: turn for turn in snapshot.turns}
        mirror.model.inputs = {input.id: input for input in snapshot.inputs}
        mirror.model.asks = {ask.id: ask for ask in snapshot.asks}
        mirror.model.log = mirror.stored_log()
        mirror.model.timers = {
            kind: at for kind, at in deadlines(mirror.model.state()).items() if at is not None
        }
        return mirror

    @property
    def id(self) -> SessionId:
        return self.record.session.id

    def stored_log(self, after: int = 0) -> list[LogEntry]:
        async def read() -> list[LogEntry]:
            reads = self.world.store.reads
            events = await reads.events_after(self.world.org, self.id, after, 10_000)
            return [await read_entry(reads, event) for event in events]

        return self.runner.run(read())

    def both(self, act: Awaitable[T], command: Command) -> T | None:
        """Do it to the store and to the model; both do it, or both refuse it in the same words."""
        value, refusal = self.attempt(act)
        self.decide(command, refusal)
        return value

    def attempt(self, act: Awaitable[T]) -> tuple[T | None, DomainError | None]:
        async def run() -> T:
            return await act

        try:
            return self.runner.run(run()), None
        except DomainError as refusal:
            return None, refusal

    def decide(self, command: Command, refusal: DomainError | None = None) -> None:
        """What the store did, or refused, the model does or refuses too."""
        head = self.model.session.next_seq - 1
        try:
            self.model.apply(self._as_stored(command), self.world.clock.now())
        except DomainError as error:
            refused: DomainError | None = error
        else:
            refused = None
        assert repr(refused) == repr(refusal)
        for entry in self.model.log[head:]:
            if isinstance(entry.event, MessageCompleted | MessageAbandoned):
                self.partial = None

    def _as_stored(self, command: Any) -> Any:
        """The command with the id that the store has minted for it."""
        announced = getattr(command, "first_call", None)
        if announced is None:
            return command
        called = [entry.event for entry in self.stored_log() if isinstance(entry.event, ModelCalled)]
        message = called[-1].message if called else announced.message
        return replace(command, first_call=FirstCall(model=announced.model, message=message))

    def unfinished(self) -> Unfinished:
        """What a stop leaves: the text that was previewed stays."""
        left = self.model.unfinished()
        return left if self.partial is None else left.keeping(*self.partial)

    def tick(self) -> None:
        """Time's own acts, in the order in which upkeep carries them out. Every lease has lapsed."""
        world, model = self.world, self.model
        now = world.clock.now()

        async def lapse_and_tick() -> None:
            await world.store.write(lambda tx: tx.refresh_leases(rows.to_instant(0)))
            await world.services.upkeep.tick()

        due: list[TimerKind] = [kind for kind, at in model.timers.items() if at <= now]
        due.sort(key=model.timers.__getitem__)
        asks = [ask for ask in model.asks.values() if ask.expires_at is not None and ask.expires_at <= now]
        inputs = [(input.id, input.expires_at) for input in model.inputs.values()]
        inputs.sort(key=lambda one: str(one[1]))
        self.runner.run(lapse_and_tick())
        if model.is_held:
            self.decide(ReclaimTurn(cause="lease_expired", unfinished=self.model.unfinished()))
        for kind in due:
            at = deadlines(model.state())[kind]
            if at is not None and at <= now:
                self._keep(kind)
        for ask in sorted(asks, key=lambda ask: str(ask.expires_at)):
            if model.asks[ask.id].status == "open":
                self.decide(DecideAsk(ask=model.asks[ask.id], decision=ask.on_expire, by=TIMEOUT))
        for id, expires_at in inputs:
            found = model.inputs[id]
            if expires_at is not None and expires_at <= now and found.status == "queued":
                self.decide(WithdrawInput(input=found, by=TIMEOUT))

    def _keep(self, kind: TimerKind) -> None:
        model = self.model
        match kind:
            case "idle" | "lifetime":
                queued = tuple(model.queue())
                self.decide(ExpireSession(reason=kind, queued=queued, unfinished=self.unfinished()))
            case "turn" if model.turn is not None:
                left = self.unfinished()
                self.decide(CancelTurn(turn=model.turn.id, by=TIMEOUT, reason="expired", unfinished=left))
            case _:
                # No turn is starting by now, and no session here is removed by policy.
                raise AssertionError(kind)

    def check(self) -> None:
        """Row for row and event for event."""
        world, model = self.world, self.model
        tables = Tables(world.database.query, world.org)
        record = self.runner.run(world.record(self.id))
        snapshot = self.runner.run(take(world.store.reads, tables, record))
        assert record.session == model.session
        assert list(snapshot.turns) == sorted(model.turns.values(), key=lambda turn: turn.first_seq)
        assert {turn.id for turn in snapshot.turns if turn.status.is_open} == (
            set() if model.session.open_turn is None else {model.session.open_turn}
        )
        assert {input.id: input for input in snapshot.inputs} == model.inputs
        assert {ask.id: ask for ask in snapshot.asks} == model.asks
        assert {budget.id: budget for budget, _ in snapshot.budgets} == model.budgets
        entries = [entry for _, ledger in snapshot.budgets for entry in ledger]
        assert sorted(entries, key=place) == sorted(model.entries, key=place)
        assert [(one.seq, one.turn, event) for one, event in snapshot.events] == [
            (entry.seq, entry.turn, entry.event) for entry in model.log
        ]
        timers = {kind: rows.to_micros(at) for kind, at in model.timers.items()}
        assert dict(snapshot.tables["timers"]) == timers
        leases = snapshot.tables["leases"]
        assert {holder for kind, holder in leases if kind == "presence"} == model.presences
        assert sum(kind == "turn" for kind, _ in leases) == model.is_held
        assert list(check_session(snapshot)) == []

    def is_open(self) -> bool:
        return self.model.session.status is SessionStatus.OPEN
