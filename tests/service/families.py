"""Random acts on a tree of sessions, with errands done now, later or twice at once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sojourn.domain.errors import DomainError
from sojourn.domain.events import AskDecided
from sojourn.domain.filter import All, SessionQuery
from sojourn.domain.ids import SessionId
from sojourn.domain.kin import SubSessions
from sojourn.domain.kinds import Delivery
from sojourn.domain.kinship import wanted
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.ports.turns import Ready
from sojourn.service.asks import Verdict
from sojourn.service.budgets import NewBudget
from sojourn.service.forks import NewFork
from sojourn.service.sessions import EndStatus
from sojourn.worker.execution import Execution, Folds
from tests.support.world import SOMEBODY, World
from tests.worker.family import SIM, do_all, lead, make_agents, open_asks, run, script

ASK = {"call": {"name": "ask_user", "arguments": {"question": "Which one?"}}}
LEAF = script({"say": "a leaf"})
WAITER = script(ASK, {"say": "an answer"})
NODE = script(run(LEAF, WAITER), {"say": "a node"})
STEPS: st.SearchStrategy[list[dict[str, Any]]] = st.sampled_from(
    [
        [run(LEAF), {"say": "done"}],
        [run(NODE, LEAF), {"say": "done"}],
        [run(WAITER, NODE), run(LEAF), {"say": "done"}],
        [run(LEAF, agent="nobody"), {"say": "done"}],
    ]
)


class FamilyMachine(RuleBasedStateMachine):
    def __init__(self, world: World, loop: asyncio.Runner) -> None:
        super().__init__()
        self.world = world
        self.loop = loop
        self.random = Random(0)

    @initialize(seed=st.integers(0, 2**32 - 1), steps=STEPS)
    def begin(self, seed: int, steps: list[dict[str, Any]]) -> None:
        self.random = Random(seed)
        self.loop.run(make_agents(self.world, SubSessions(max_depth=2)))
        self.loop.run(lead(self.world, *steps))
        # Every story begins with sessions that others wait for.
        for _ in range(self.random.randint(1, 3)):
            self.work(3)
            self.loop.run(do_all(self.world))

    def _all(self) -> Sequence[SessionRecord]:
        query = SessionQuery(where=All(()), order="asc", limit=1_000)
        return self.loop.run(self.world.services.sessions.list(self.world.org, query))

    def _any(self) -> SessionId | None:
        records = self._all()
        return self.random.choice(records).session.id if records else None

    def _try(self, act: Awaitable[object]) -> None:
        """What is refused changes nothing."""

        async def attempt() -> None:
            with contextlib.suppress(DomainError):
                await act

        self.loop.run(attempt())

    @rule(count=st.integers(1, 4))
    def work(self, count: int) -> None:
        """Some turn runs until it yields; what that leaves for other sessions is left."""
        for _ in range(count):
            ready = self.loop.run(self.world.services.turns.ready("model", 100))
            if not ready:
                return
            self.loop.run(self._run(self.random.choice(ready)))

    async def _run(self, ready: Ready) -> None:
        turn = await self.world.services.turns.claim(ready, "worker", ("model",))
        if turn is not None:
            await Execution(self.world.services.turns, {"model": SIM}, Folds()).execute(turn)

    @rule(processes=st.integers(1, 2))
    def do_errands(self, processes: int) -> None:
        async def do() -> None:
            errands = self.world.services.errands
            await asyncio.gather(*(errands.do_due() for _ in range(processes)))

        self.loop.run(do())

    @rule(delivery=st.sampled_from(["queue", "steer", "interrupt"]))
    def send(self, delivery: Delivery) -> None:
        session = self._any()
        if session is not None:
            self._try(self.world.send(session, self.random.choice((LEAF, WAITER, NODE)), delivery))

    @rule()
    def decide(self) -> None:
        session = self._any()
        if session is None:
            return
        asks = self.loop.run(open_asks(self.world, session))
        if asks:
            ask = self.random.choice(asks)
            verdict = Verdict("deny" if ask.kind == "session" else "answer", None)
            self._try(self.world.services.asks.decide(self.world.org, session, ask.id, verdict, SOMEBODY))

    @rule()
    def cancel(self) -> None:
        waiting = [one.session.id for one in self._all() if one.session.activity is Activity.WAITING]
        session = self.random.choice(waiting) if waiting else self._any()
        turn = None if session is None else self.loop.run(self.world.record(session)).session.open_turn
        if session is not None and turn is not None:
            self._try(self.world.services.turns.cancel(self.world.org, session, turn, SOMEBODY))

    @rule(status=st.sampled_from(["completed", "cancelled", "deleted"]))
    def end(self, status: EndStatus | str) -> None:
        session = self._any()
        if session is None or self.random.random() < 0.8:
            return
        sessions = self.world.services.sessions
        if status == "deleted":
            self._try(sessions.delete(self.world.org, session, SOMEBODY))
        else:
            ended: EndStatus = "completed" if status == "completed" else "cancelled"
            self._try(sessions.end(self.world.org, session, ended, None, SOMEBODY))

    @rule()
    def fork(self) -> None:
        session = self._any()
        if session is not None and self.random.random() < 0.4:
            self._try(self.world.services.forks.fork(self.world.org, session, NewFork(), SOMEBODY))

    @rule(amount=st.sampled_from([3, 200]))
    def limit(self, amount: int) -> None:
        session = self._any()
        if session is not None and self.random.random() < 0.4:
            new = NewBudget(currency="tokens", limit=Decimal(amount), soft_limit=Decimal(2))
            self._try(self.world.services.budgets.create(self.world.org, session, new, SOMEBODY))

    @rule()
    def resume(self) -> None:
        for record in self._all():
            self._try(self.world.services.budgets.resume(self.world.org, record.session.id, SOMEBODY))

    def teardown(self) -> None:
        """Once everything is done that can be, nobody waits for a session that does not know of it."""
        for _ in range(60):
            self.loop.run(do_all(self.world))
            if not self.loop.run(self.world.services.turns.ready("model", 1)):
                break
            self.work(4)
        self.loop.run(self._check())
        for record in self._all():
            self._try(self.world.services.sessions.delete(self.world.org, record.session.id, SOMEBODY))
        self.loop.run(do_all(self.world))

    async def _check(self) -> None:
        world = self.world
        problems = await world.problems()
        assert not problems, problems
        assert await world.store.reads.due_errands(world.clock.now(), 1) == []
        query = SessionQuery(where=All(()), order="asc", limit=1_000)
        records = {
            one.session.id: one.session for one in await world.services.sessions.list(world.org, query)
        }
        for id, session in records.items():
            waits = [ask for ask in await open_asks(world, id) if ask.kind == "session"]
            for ask in waits:
                child = wanted(ask)
                assert child is not None
                awaited = records[child.id]
                assert (awaited.kin.awaited, awaited.kin.ask) == (True, ask.id)
                assert awaited.activity is not Activity.IDLE
            parent = session.kin.parent
            if session.kin.awaited:
                assert parent is not None
                assert session.kin.ask in {ask.id for ask in await open_asks(world, parent)}
            if parent is not None and parent not in records:
                # Whoever has sent it a message since has opened it again.
                assert session.status is not SessionStatus.OPEN or session.turns > 1
            decided = [one.ask for one in await world.said(id, AskDecided)]
            assert len(decided) == len(set(decided))
