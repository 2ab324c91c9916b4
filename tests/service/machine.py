"""Random commands to a real store and to plain values at once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sojourn.domain import commands as c
from sojourn.domain.agent import SPAWNING
from sojourn.domain.ask import Ask
from sojourn.domain.content import TextPart
from sojourn.domain.errors import CallRefused, LeaseLost, NotFound, WrongState
from sojourn.domain.events import RunnerEvent
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.ids import MessageId, uuid7
from sojourn.domain.kinds import Json, RunnerKind
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.turn import CLAIMABLE, TurnStatus
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.asks import Verdict
from sojourn.service.inputs import NewInput
from sojourn.service.sessions import EndStatus, NewSession, SessionChange
from tests.service.budget_rules import LIMITS, BudgetRules, Limits
from tests.service.mirror import Mirror
from tests.service.past_rules import PastRules
from tests.service.queue_rules import QueueRules
from tests.support.runner import Append, RandomRunner, Retry, Settle, Wait
from tests.support.world import SOMEBODY, World

DELAY = timedelta(seconds=0.5)
RUNNERS: tuple[RunnerKind, ...] = ("model", "acp")

# No two deadlines ever fall together: which of two acts of one instant comes first is nobody's promise.
POLICIES = st.sampled_from(
    [
        NO_POLICY,
        Policy(idle_timeout_seconds=3.14),
        Policy(max_turn_seconds=5.77, max_lifetime_seconds=29.33, idle_timeout_seconds=7.51),
        Policy(max_queued_seconds=6.19, reopen="never"),
        Policy(idle_timeout_seconds=9.91, reopen=2.5),
    ]
)


class SessionMachine(QueueRules, BudgetRules, PastRules, RuleBasedStateMachine):
    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        super().__init__()
        self.world = world
        self.loop = runner
        self.mirror: Mirror
        self.random: Random
        self.lot: RandomRunner | None = None

    @initialize(
        seed=st.integers(0, 2**32 - 1),
        agent=st.sampled_from(["default", "spawning"]),
        policy=POLICIES,
        limits=LIMITS,
    )
    def create(self, seed: int, agent: str, policy: Policy, limits: Limits) -> None:
        self.random = Random(seed)
        new = NewSession(agent=agent, policy=policy, tags=("a",), external_id=f"name {uuid7()}")
        self.mirror = Mirror.of(self.world, self.loop, new)
        for currency, limit, soft in limits:
            self.create_budget(currency, limit, soft)

    @rule(steps=st.integers(1, 12))
    def go_on(self, steps: int) -> None:
        """What happens when nobody disturbs: a message, a claim, the work, until it waits."""
        for _ in range(steps):
            turn = self.mirror.model.turn
            if self.mirror.model.is_held:
                self.work()
            elif turn is None:
                self.receive("queue", twice=False)
            elif turn.status is TurnStatus.WAITING and not turn.open_asks:
                self.resume_budgets()
            elif turn.status is TurnStatus.WAITING:
                self.decide_ask()
            else:
                self.world.clock.advance(DELAY.total_seconds())
                self.claim()
            self.mirror.check()

    @rule()
    def claim(self) -> None:
        model, now = self.mirror.model, self.world.clock.now()
        turn = model.turn
        ready = Ready(self.world.org, self.mirror.id)
        claimed = self.loop.run(self.world.services.turns.claim(ready, "worker", RUNNERS))
        is_ready = turn is not None and turn.status in CLAIMABLE
        if turn is None or not is_ready or (turn.not_before is not None and turn.not_before > now):
            assert claimed is None
            return
        first = c.FirstCall(model="sim/echo", message=MessageId(uuid7()))
        command = c.ClaimTurn(
            worker="worker",
            spawns=turn.runner in SPAWNING,
            agent_version=1,
            first_call=first if turn.runner == "model" else None,
        )
        self.mirror.decide(command)
        if not model.is_held:
            assert claimed is None
            return
        assert claimed is not None
        self.mirror.claims.append(claimed)
        assert (claimed.fence, claimed.attempt) == (model.session.fence, turn.attempt + 1)
        call = model.conversation().progress.open_call if claimed.attempt == 1 else None
        announced = None if call is None else call.message
        self.lot = RandomRunner(self.random, f"claim {claimed.fence}", announced)

    @precondition(lambda self: self.mirror.model.is_held)
    @rule()
    def work(self) -> None:
        """What the holder does next: calls, answers, tools, waits, the end."""
        assert self.lot is not None
        model, turn = self.mirror.model, self.mirror.claims[-1]
        move = self.lot.move(model.conversation())
        act = self._act(turn, move)
        match move:
            case Append(events, intents, before):
                steers = tuple(model.queue(steers_only=True)) if before is not None else ()
                command = c.AppendEvents(events=events, intents=intents, steers_before=before, steers=steers)
            case Settle(events, reason, error):
                command = c.SettleTurn(events=events, reason=reason, error=error)
            case Retry(events, error):
                command = c.RetryTurn(events=events, error=error, retry_at=self.world.clock.now() + DELAY)
            case Wait(asks, mode):
                opened = tuple(ask.opened(turn.turn, self.world.clock.now()) for ask in asks)
                command = c.WaitTurn(events=(), asks=opened, mode=mode)
        self.was_refused = False
        self.mirror.both(act, command)
        if isinstance(move, Append) and model.session.runner != "model" and model.is_held:
            self._stop_at_budget()
        assert self.was_refused == (isinstance(move, Append) and not model.is_held)

    def _stop_at_budget(self) -> None:
        if any(budget.status == "exhausted" for budget in self.mirror.model.state().budgets):
            self.mirror.decide(c.StopAtBudget(unfinished=self.mirror.unfinished()))

    async def _append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent],
        steers_before: int | None,
    ) -> None:
        """A refused call is no refusal of the append: what it reports is written, and the turn ends or waits."""
        try:
            await self.world.services.turns.append(turn, events, intents, steers_before)
        except CallRefused:
            self.was_refused = True

    def _act(self, turn: ClaimedTurn, move: Append | Settle | Retry | Wait) -> Awaitable[None]:
        turns = self.world.services.turns
        match move:
            case Append(events, intents, before):
                return self._append(turn, events, intents, before)
            case Settle(events, reason, error):
                return turns.settle(turn, events, reason, error)
            case Retry(events, error):
                return turns.retry(turn, events, error, DELAY.total_seconds())
            case Wait(asks, mode):
                return turns.wait(turn, (), asks, mode)

    @precondition(lambda self: self.mirror.model.is_held and self.mirror.partial is None)
    @rule()
    def preview(self) -> None:
        call = self.mirror.model.conversation().progress.open_call
        if call is not None:
            self.world.services.turns.preview(self.mirror.claims[-1], call.message, 0, "so far")
            self.mirror.partial = (call.message, "so far")

    @precondition(lambda self: self.mirror.model.is_held)
    @rule()
    def give_back(self) -> None:
        act = self.world.services.turns.give_back(self.mirror.claims[-1])
        unfinished = self.mirror.model.unfinished()
        self.mirror.both(act, c.ReclaimTurn(cause="worker_stopped", unfinished=unfinished))

    @precondition(lambda self: len(self.mirror.claims) > self.mirror.model.is_held)
    @rule(which=st.integers(0, 4))
    def write_late(self, which: int) -> None:
        """Whoever lost its claim changes nothing, whatever it tries."""
        late = self.mirror.claims[: len(self.mirror.claims) - self.mirror.model.is_held]
        turn, turns = self.random.choice(late), self.world.services.turns
        acts: list[Callable[[], Awaitable[None]]] = [
            lambda: turns.append(turn, ()),
            lambda: turns.settle(turn, ()),
            lambda: turns.retry(turn, (), "late", 0.0),
            lambda: turns.give_back(turn),
            lambda: turns.write_file(turn, "late.txt", b"late"),
            lambda: turns.write_memory(turn, "late.md", "late"),
        ]
        _, refusal = self.mirror.attempt(acts[which]())
        assert isinstance(refusal, LeaseLost)

    @precondition(lambda self: bool(self.mirror.model.asks))
    @rule(is_any=st.booleans())
    def decide_ask(self, is_any: bool = False) -> None:
        """An ask is decided once; one that is decided or void is refused."""
        asks = list(self.mirror.model.asks.values())
        found = asks if is_any else [ask for ask in asks if ask.status == "open"]
        if not found:
            return
        ask = self.random.choice(found)
        verdict = self._verdict(ask)
        act = self.world.services.asks.decide(self.world.org, self.mirror.id, ask.id, verdict, SOMEBODY)
        self.mirror.both(act, self._decision(ask, verdict))

    @rule(count=st.integers(1, 3))
    def decide_calls(self, count: int) -> None:
        """Several at once, by the calls that they are about."""
        asks = [ask for ask in self.mirror.model.asks.values() if ask.status == "open" and ask.prompt]
        chosen = self.random.sample(asks, min(count, len(asks)))
        if not chosen:
            return
        verdicts = {str(ask.prompt["tool_call_id"]): self._verdict(ask) for ask in chosen}
        act = self.world.services.asks.decide_calls(self.world.org, self.mirror.id, verdicts, SOMEBODY)
        commands = [
            self._decision(ask, verdict) for ask, verdict in zip(chosen, verdicts.values(), strict=True)
        ]
        self.mirror.both(act, c.DecideAsks(verdicts=tuple(commands)))

    def _verdict(self, ask: Ask) -> Verdict:
        if ask.kind == "client_tool":
            answers: list[Json] = ["fine", {"error": "no"}, {"n": 1}, None]
            return Verdict(self.random.choice(("answer", "answer", "deny")), self.random.choice(answers))
        return Verdict(self.random.choice(("allow", "deny")))

    def _decision(self, ask: Ask, verdict: Verdict) -> c.DecideAsk:
        return c.DecideAsk(ask=ask, decision=verdict.decision, answer=verdict.answer, by=SOMEBODY)

    @precondition(lambda self: bool(self.mirror.model.turns))
    @rule()
    def cancel(self) -> None:
        turn = self.random.choice(list(self.mirror.model.turns))
        act = self.world.services.turns.cancel(self.world.org, self.mirror.id, turn, SOMEBODY)
        command = c.CancelTurn(turn=turn, by=SOMEBODY, unfinished=self.mirror.unfinished())
        self.mirror.both(act, command)

    @rule(seconds=st.integers(0, 4))
    def let_time_pass(self, seconds: int) -> None:
        """Leases lapse and deadlines come: time's own acts are decided like everybody's."""
        self.world.clock.advance(seconds)
        self.mirror.tick()

    @rule(status=st.sampled_from(["completed", "failed", "cancelled"]))
    def end(self, status: EndStatus) -> None:
        if self.random.random() < 0.7:
            return
        mirror = self.mirror
        act = self.world.services.sessions.end(self.world.org, mirror.id, status, "why", SOMEBODY)
        queued = tuple(mirror.model.queue())
        left = mirror.unfinished()
        mirror.both(
            act, c.EndSession(status=status, by=SOMEBODY, reason="why", queued=queued, unfinished=left)
        )

    @rule()
    def reopen(self) -> None:
        """Where its policy allows; a message does it too."""
        if self.mirror.is_open() and self.random.random() < 0.9:
            return
        act = self.world.services.lifetimes.reopen(self.world.org, self.mirror.id, SOMEBODY)
        self.mirror.both(act, c.ReopenSession(by=SOMEBODY))

    @rule(seconds=st.sampled_from([1.03, 8.87, 40.41]))
    def extend(self, seconds: float) -> None:
        if self.random.random() < 0.5:
            return
        lasting = timedelta(seconds=seconds)
        act = self.world.services.lifetimes.extend(self.world.org, self.mirror.id, lasting, SOMEBODY)
        self.mirror.both(act, c.ExtendSession(until=self.world.clock.now() + lasting, by=SOMEBODY))

    @rule(archived=st.booleans())
    def archive(self, archived: bool) -> None:
        if self.random.random() < 0.7:
            return
        act = self.world.services.sessions.archive(self.world.org, self.mirror.id, archived, SOMEBODY)
        changes = {"archived": archived}
        self.mirror.both(act, c.UpdateSession(changes=changes, by=SOMEBODY, archived=archived))

    @rule(expected=st.sampled_from([None, 0, 2]), tags=st.sampled_from([(), ("a", "b")]))
    def describe(self, expected: int | None, tags: tuple[str, ...]) -> None:
        change = SessionChange(title="new", tags=tags)
        sessions = self.world.services.sessions
        act = sessions.update(self.world.org, self.mirror.id, change, SOMEBODY, expected)
        changes: dict[str, Json] = {"title": "new", "tags": [*tags]}
        self.mirror.both(act, c.UpdateSession(changes=changes, by=SOMEBODY, expected_revision=expected))

    @rule(path=st.sampled_from(["a", "a/b", "c"]), content=st.sampled_from([b"", b"one", None]))
    def change_file(self, path: str, content: bytes | None) -> None:
        """Write it, or without a content delete it; what became of the area is in the log."""
        mirror, files = self.mirror, self.world.services.files
        head = mirror.model.session.next_seq - 1
        act = (
            files.delete(self.world.org, mirror.id, path)
            if content is None
            else files.write(self.world.org, mirror.id, path, content)
        )
        _, refusal = mirror.attempt(act)
        if refusal is not None and not (isinstance(refusal, WrongState) and refusal.subject == "session"):
            return
        said = [entry.event for entry in mirror.stored_log(head)]
        changes = tuple(event for event in said if isinstance(event, FileWritten | FileDeleted))
        mirror.decide(c.ChangeFiles(changes=changes), refusal)

    @rule(holder=st.sampled_from(["laptop", "desk"]))
    def hold(self, holder: str) -> None:
        mirror = self.mirror
        held, refusal = mirror.attempt(
            self.world.services.presences.hold(self.world.org, mirror.id, holder, None)
        )
        if holder in mirror.model.presences:
            assert held is not None
            assert not held[1]
            return
        mirror.decide(c.AttachPresence(holder=holder), refusal)
        if refusal is None:
            mirror.model.presences.add(holder)

    @rule(holder=st.sampled_from(["laptop", "desk"]))
    def release(self, holder: str) -> None:
        mirror = self.mirror
        act = self.world.services.presences.release(self.world.org, mirror.id, holder, SOMEBODY)
        if holder in mirror.model.presences:
            mirror.model.presences.discard(holder)
            mirror.both(act, c.ReleasePresence(holder=holder, by=SOMEBODY))
            return
        assert isinstance(mirror.attempt(act)[1], NotFound)

    @rule()
    def delete(self) -> None:
        """Nothing is left but the tombstone; the story goes on with another session."""
        if self.random.random() < 0.9:
            return
        world, old = self.world, self.mirror
        self.loop.run(world.services.sessions.delete(world.org, old.id, SOMEBODY))
        refused = self._send(NewInput(content=(TextPart("gone"),)))
        assert isinstance(old.attempt(refused)[1], NotFound)
        if old.claims:
            late = world.services.turns.append(old.claims[-1], ())
            assert isinstance(old.attempt(late)[1], LeaseLost)
        tombstone = self.loop.run(world.store.reads.get_tombstone(world.org, old.id))
        assert tombstone is not None
        assert tombstone.last_seq == old.model.session.next_seq - 1
        self.lot = None
        self.mirror = Mirror.of(world, self.loop, NewSession())

    @invariant()
    def both_are_the_same(self) -> None:
        self.mirror.check()

    def teardown(self) -> None:
        """Time is the same for every story, so that of a session that is told no more ends with it."""
        if hasattr(self, "mirror"):
            self.loop.run(self.world.services.sessions.delete(self.world.org, self.mirror.id, SOMEBODY))
            assert self.loop.run(self.world.problems()) == []
