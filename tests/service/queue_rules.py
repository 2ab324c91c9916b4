"""What clients do with inputs, for the machine that sends random commands to a real store and to plain values."""

import asyncio
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from sojourn.domain import commands as c
from sojourn.domain.actor import Actor, ActorKind
from sojourn.domain.content import TextPart
from sojourn.domain.ids import InputId, KeyId, TurnId, uuid7
from sojourn.domain.input import Input
from sojourn.domain.kinds import Delivery
from sojourn.service.inputs import NewInput
from sojourn.service.results import Repeat, Result
from tests.service.mirror import Mirror
from tests.support.world import SOMEBODY, World


class QueueRules:
    world: World
    loop: asyncio.Runner
    mirror: Mirror
    random: Random

    @rule(
        delivery=st.sampled_from(["queue", "queue", "steer", "interrupt"]),
        sender=st.sampled_from(["human", "human", "agent", "schedule"]),
        twice=st.booleans(),
    )
    def receive(self, delivery: Delivery, twice: bool, sender: ActorKind = "human") -> None:
        """A repeated request is answered as before and changes nothing."""
        by = Actor(sender)
        new = NewInput(content=(TextPart("go on"),), delivery=delivery)
        repeat = Repeat(KeyId(uuid7()), "send", str(uuid7()), b"hash") if twice else None
        unfinished = self.mirror.unfinished() if delivery == "interrupt" else c.NOTHING_UNFINISHED
        asks = self.mirror.model.dismissed_by(delivery)
        opened = self.mirror.model.unclaimed()
        sent, refusal = self.mirror.attempt(self._send(new, repeat, by))
        input = None if sent is None else sent.value
        command = c.ReceiveInput(
            input=InputId(uuid7()) if input is None else input.id,
            turn=TurnId(uuid7()) if input is None else input.turn,
            kind="message",
            delivery=delivery,
            content=new.content,
            by=by,
            unfinished=unfinished,
            asks=asks,
            opened=opened,
        )
        self.mirror.decide(command, refusal)
        if sent is not None and twice:
            again = self.loop.run(self._send(new, repeat, by))
            assert again.replayed
            assert again.value.id == sent.value.id

    async def _send(self, new: NewInput, repeat: Repeat | None = None, by: Actor = SOMEBODY) -> Result[Input]:
        return await self.world.services.inputs.send(self.world.org, self.mirror.id, new, by, repeat)

    def _any_input(self) -> Input | None:
        inputs = list(self.mirror.model.inputs.values())
        return self.random.choice(inputs) if inputs else None

    @precondition(lambda self: bool(self.mirror.model.inputs))
    @rule(expected=st.sampled_from([None, 0, 1]))
    def edit(self, expected: int | None) -> None:
        input = self._any_input()
        assert input is not None
        content = (TextPart("rather"),)
        inputs = self.world.services.inputs
        act = inputs.edit(self.world.org, self.mirror.id, input.id, content, SOMEBODY, expected)
        command = c.EditInput(input=input, content=content, by=SOMEBODY, expected_revision=expected)
        self.mirror.both(act, command)

    @precondition(lambda self: bool(self.mirror.model.inputs))
    @rule(expected=st.sampled_from([None, 0]))
    def withdraw(self, expected: int | None) -> None:
        input = self._any_input()
        assert input is not None
        inputs = self.world.services.inputs
        act = inputs.withdraw(self.world.org, self.mirror.id, input.id, SOMEBODY, expected)
        self.mirror.both(act, c.WithdrawInput(input=input, by=SOMEBODY, expected_revision=expected))

    @precondition(lambda self: bool(self.mirror.model.inputs))
    @rule(expected=st.sampled_from([None, 0]), to_end=st.booleans())
    def move(self, expected: int | None, to_end: bool) -> None:
        """Any input before any other, or to the end; one that is not queued any more is refused."""
        model = self.mirror.model
        input = self._any_input()
        assert input is not None
        before = None if to_end else self._any_input()
        inputs = self.world.services.inputs
        where = None if before is None else before.id
        act = inputs.move(
            self.world.org, self.mirror.id, input.id, where, SOMEBODY, expected_revision=expected
        )
        command = c.MoveInput(
            input=input,
            before=before,
            last=model.last_queued(input.id) if before is None else None,
            opened=model.unclaimed(),
            by=SOMEBODY,
            expected_revision=expected,
        )
        self.mirror.both(act, command)
