"""A walk through a session's life without a store: at each step, one command that might be sent now."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sojourn.domain import commands as c
from sojourn.domain.actor import TIMEOUT, Actor
from sojourn.domain.agent import SPAWNING
from sojourn.domain.errors import Conflict, InvalidRequest
from sojourn.domain.ids import MessageId, uuid7
from sojourn.domain.input import Input
from sojourn.domain.kinds import Delivery
from sojourn.domain.session import SessionStatus
from tests.support.clock import START
from tests.support.model import Model
from tests.support.runner import Append, RandomRunner, Retry, Settle, Wait
from tests.unit.domain.make import SOMEBODY, a_message, a_model


class Walk:
    def __init__(self, random: Random, **session: object) -> None:
        self.random = random
        self.model: Model = a_model(**session)
        self.now: datetime = START
        self.runner: RandomRunner | None = None
        self.taken: list[c.Command] = []

    def steps(self, count: int) -> "Walk":
        for _ in range(count):
            self.step()
        return self

    def step(self) -> None:
        """Take one command, or find that it is refused."""
        self.now += timedelta(seconds=1)
        command = self.random.choice(self._candidates())
        try:
            self.model.apply(command, self.now)
        except (Conflict, InvalidRequest):
            return
        self.taken.append(command)
        if isinstance(command, c.ClaimTurn):
            self._begin(command)

    def _begin(self, claim: c.ClaimTurn) -> None:
        turn = self.model.turn
        assert turn is not None
        announced = None
        if turn.attempt == 1 and claim.first_call is not None:
            announced = claim.first_call.message
        self.runner = RandomRunner(self.random, f"w/{self.model.session.fence}", announced)

    def _candidates(self) -> Sequence[c.Command]:
        session = self.model.session
        steer = replace(self._message("steer"), asks=self.model.dismissed_by("steer"))
        commands: list[c.Command] = [
            self.random.choice((self._message(), steer)),
            c.UpdateSession(changes={"title": "new"}, by=SOMEBODY),
            *([c.AttachPresence(holder="p")] if not self.model.presences else ()),
            *([c.ReleasePresence(holder="p", by=SOMEBODY)] if session.presences else ()),
            *self._edits(),
        ]
        if self.random.random() < 0.2:
            commands += self._ends()
        return [*commands, *self._of_turn(), *self._of_turn()]

    def _message(self, delivery: Delivery = "queue") -> c.ReceiveInput:
        sender = Actor(self.random.choice(("human", "human", "agent", "schedule")))
        return replace(a_message(delivery=delivery, by=sender), opened=self.model.unclaimed())

    def _edits(self) -> list[c.Command]:
        inputs = list(self.model.inputs.values())
        if not inputs:
            return []
        input = self.random.choice(inputs)
        return [
            c.EditInput(input=input, content=input.content, by=SOMEBODY),
            c.WithdrawInput(input=input, by=SOMEBODY),
            self._move(input),
        ]

    def _move(self, input: Input) -> c.Command:
        before = self.random.choice([None, *self.model.inputs.values()])
        last = self.model.last_queued(input.id) if before is None else None
        return c.MoveInput(input=input, before=before, last=last, opened=self.model.unclaimed(), by=SOMEBODY)

    def _ends(self) -> list[c.Command]:
        left, queued = self.model.unfinished(), tuple(self.model.queue())
        status = self.random.choice(("completed", "failed", "cancelled"))
        return [
            c.EndSession(status=status, by=SOMEBODY, queued=queued, unfinished=left),
            c.ExpireSession(reason="idle", queued=queued, unfinished=left),
            c.UpdateSession(changes={"archived": True}, by=SOMEBODY, archived=self.random.random() < 0.5),
            replace(self._message("interrupt"), unfinished=left),
        ]

    def _of_turn(self) -> list[c.Command]:
        turn = self.model.turn
        if turn is None:
            return []
        left = self.model.unfinished()
        claim = c.ClaimTurn(
            worker="w",
            spawns=turn.runner in SPAWNING,
            agent_version=1,
            first_call=c.FirstCall(model="sim/echo", message=MessageId(uuid7())),
        )
        cancel = c.CancelTurn(turn=turn.id, by=SOMEBODY, unfinished=left)
        rare: list[c.Command] = [cancel] if self.random.random() < 0.2 else []
        if self.model.is_held:
            lapse = c.ReclaimTurn(cause="lease_expired", unfinished=left)
            return [*rare, self._work(), self._work(), lapse, *self._decisions()]
        return [*rare, claim, *self._decisions()]

    def _work(self) -> c.Command:
        assert self.runner is not None
        match self.runner.move(self.model.conversation()):
            case Append(events, intents, steers_before):
                steers = tuple(self.model.queue(steers_only=True)) if steers_before is not None else ()
                return c.AppendEvents(
                    events=events, intents=intents, steers_before=steers_before, steers=steers
                )
            case Settle(events, reason, error):
                return c.SettleTurn(events=events, reason=reason, error=error)
            case Retry(events, error):
                return c.RetryTurn(events=events, error=error, retry_at=self.now)
            case Wait(asks, mode):
                turn = self.model.turn
                assert turn is not None
                opened = tuple(ask.opened(turn.id, self.now) for ask in asks)
                return c.WaitTurn(events=(), asks=opened, mode=mode)

    def _decisions(self) -> list[c.Command]:
        is_open = self.model.session.status is SessionStatus.OPEN
        asks = [ask for ask in self.model.asks.values() if ask.status == "open" and is_open]
        decision = self.random.choice(("allow", "deny", "answer"))
        return [c.DecideAsk(ask=ask, decision=decision, answer="so", by=TIMEOUT) for ask in asks[:1]]
