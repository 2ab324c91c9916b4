"""Players that do to a few sessions what clients, workers and time do, all at once and in random order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from random import Random
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.ask import Decision
from sojourn.domain.content import TextPart
from sojourn.domain.errors import Conflict, LeaseLost, NotFound
from sojourn.domain.ids import DEFAULT_ORG, KeyId, SessionId
from sojourn.domain.kinds import Delivery
from sojourn.service.asks import Verdict
from sojourn.service.budgets import BudgetChange, NewBudget
from sojourn.service.core import Services
from sojourn.service.inputs import NewInput
from sojourn.service.results import Repeat
from sojourn.service.sessions import SessionChange
from tests.race.witness import Witness
from tests.race.work import RaceWorker

BY = Actor("human")
# The same in every process: requests that are repeated by another door are repetitions all the same.
KEY = KeyId(UUID(int=7))
DELIVERIES: tuple[Delivery, ...] = ("queue", "queue", "queue", "queue", "steer", "steer", "interrupt")
WORKERS = 4


class Players:
    def __init__(self, services: Services, sessions: Sequence[SessionId], seed: int) -> None:
        self._services = services
        self._sessions = sessions
        self._random = Random(seed)
        self.witness = Witness()

    async def play(self, rounds: int) -> Witness:
        """`rounds` acts of each player. What a rival made impossible is refused, and that is part of the game."""
        acts: list[Callable[[], Awaitable[None]]] = [
            *[self._work] * WORKERS,
            *[self._send] * 2,
            self._send_again,
            self._change_an_input,
            self._drive,
            self._budget,
            *[self._decide] * 2,
            self._cancel,
            self._end,
        ]
        over = asyncio.Event()
        time = asyncio.create_task(self._let_time_act(over))
        await asyncio.gather(*(self._repeat(act, rounds) for act in acts))
        over.set()
        await time
        return self.witness

    async def _repeat(self, act: Callable[[], Awaitable[None]], rounds: int) -> None:
        for _ in range(rounds):
            await self._pause()
            with suppress(Conflict, LeaseLost, NotFound):
                await act()
            self.witness.verbs += 1

    async def _pause(self) -> None:
        """Let the others go first, for a random number of turns of the event loop."""
        for _ in range(self._random.choice((0, 0, 1, 1, 2, 5, 20))):
            await asyncio.sleep(0)  # noqa: TID251 - waits for nothing: it is the interleaving

    def _any_session(self) -> SessionId:
        return self._random.choice(self._sessions)

    def _rarely(self) -> bool:
        return self._random.random() < 0.25

    async def _work(self) -> None:
        await RaceWorker(self._services, self._random, self.witness, self._pause).work(self._any_session())

    async def _send(self) -> None:
        new = NewInput(content=(TextPart("go on"),), delivery=self._random.choice(DELIVERIES))
        await self._services.inputs.send(DEFAULT_ORG, self._any_session(), new, BY)

    async def _send_again(self) -> None:
        """Under one of a few keys, so that most of these requests are repetitions, some of them at once."""
        session = self._any_session()
        key = f"{session} {self._random.randrange(40)}"
        new = NewInput(content=(TextPart(key),))
        repeat = Repeat(KEY, "send", key, b"a hash")
        sent = await self._services.inputs.send(DEFAULT_ORG, session, new, BY, repeat)
        self.witness.inputs.setdefault(key, []).append(str(sent.value.id))

    async def _change_an_input(self) -> None:
        session = self._any_session()
        waiting = await self._services.inputs.list(DEFAULT_ORG, session, "queued", 0, 5)
        if not waiting:
            return
        input = self._random.choice(waiting)
        if self._rarely():
            await self._services.inputs.withdraw(DEFAULT_ORG, session, input.id, BY)
        else:
            content = (TextPart("rather"),)
            await self._services.inputs.edit(DEFAULT_ORG, session, input.id, content, BY, input.revision)

    async def _drive(self) -> None:
        """Somebody outside comes and goes; a title changes."""
        session, presences = self._any_session(), self._services.presences
        if self._rarely():
            await presences.hold(DEFAULT_ORG, session, "laptop", None)
        elif self._rarely():
            change = SessionChange(title="another", tags=("a",))
            await self._services.sessions.update(DEFAULT_ORG, session, change, BY)
        else:
            await presences.release(DEFAULT_ORG, session, "laptop", BY)

    async def _budget(self) -> None:
        """One session has a budget that is used up, topped up, resumed and disabled all the time."""
        session, budgets = self._sessions[1], self._services.budgets
        found = await budgets.list(DEFAULT_ORG, session, None, 5)
        if not found:
            new = NewBudget(currency="tokens", limit=Decimal(5), soft_limit=Decimal(3))
            await budgets.create(DEFAULT_ORG, session, new, BY)
            return
        budget = self._random.choice(found)
        match self._random.randrange(6):
            case 0:
                await budgets.charge(DEFAULT_ORG, budget.id, Decimal(2), None, BY)
            case 1:
                status = "disabled" if budget.status == "active" else "active"
                await budgets.change(DEFAULT_ORG, budget.id, BudgetChange(status=status), BY)
            case 2 | 3:
                await budgets.resume(DEFAULT_ORG, session, BY)
            case _:
                await budgets.top_up(DEFAULT_ORG, budget.id, Decimal(4), None, BY)

    async def _decide(self) -> None:
        """Of what a turn waits for, while time, messages and another player decide it too."""
        session, asks = self._any_session(), self._services.asks
        found = await asks.list(DEFAULT_ORG, session, True, None, 5)
        if not found:
            return
        await self._pause()
        about_calls = [ask for ask in found if ask.kind == "client_tool"]
        if about_calls and self._random.random() < 0.5:
            verdict = Verdict(self._random.choice(("answer", "deny")))
            calls = {
                str(ask.prompt["tool_call_id"]): verdict
                for ask in about_calls[: self._random.randrange(1, 3)]
            }
            decided = [*(await asks.decide_calls(DEFAULT_ORG, session, calls, BY)).value]
        else:
            ask = self._random.choice(found)
            yes: Decision = "answer" if ask.kind == "client_tool" else "allow"
            verdict = Verdict(self._random.choice((yes, "deny")))
            decided = [(await asks.decide(DEFAULT_ORG, session, ask.id, verdict, BY)).value]
        self.witness.decided += [(str(ask.id), verdict.decision) for ask in decided]

    async def _cancel(self) -> None:
        record = await self._services.sessions.get(DEFAULT_ORG, self._any_session())
        if record.session.open_turn is not None and self._rarely():
            await self._services.turns.cancel(DEFAULT_ORG, record.session.id, record.session.open_turn, BY)

    async def _end(self) -> None:
        if self._rarely() and self._rarely():
            await self._services.sessions.end(DEFAULT_ORG, self._any_session(), "completed", None, BY)

    async def _let_time_act(self, over: asyncio.Event) -> None:
        """The leases have no time to live, so each tick takes back every turn that somebody holds."""
        while not over.is_set():
            for _ in range(self._random.randrange(10)):
                await self._pause()
            await self._services.upkeep.tick()
