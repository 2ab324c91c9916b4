"""Inputs: send, read, edit, withdraw."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.commands import Command, EditInput, MoveInput, ReceiveInput, WithdrawInput
from sojourn.domain.content import TextPart
from sojourn.domain.draft import Decision, State
from sojourn.domain.errors import LimitExceeded, NotFound, SequenceMismatch
from sojourn.domain.fold import Unfinished
from sojourn.domain.ids import InputId, OrgId, SessionId, TurnId, uuid7
from sojourn.domain.input import Input, InputStatus
from sojourn.domain.kinds import Delivery, InputKind, Json
from sojourn.domain.queue import MAX_QUEUED
from sojourn.ports import Clock, Store, Tx
from sojourn.service.hub import Hub
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, carry_out, lock, once, stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInput:
    """`kind` is a message; the others have verbs of their own, and are refused here.

    `expected_seq` asserts that nothing happened since: SequenceMismatch unless it is the log's last seq. `payload` is
    the JSON text of an object, which an agent behind HTTP is sent beside the text. `model` is that of the turn that the
    input starts, if its agent is of the runner `model`. `facets` holds what a dialect's client said of it and the core
    has no word for, by the name of the dialect.
    """

    content: tuple[TextPart, ...]
    kind: InputKind = "message"
    delivery: Delivery = "queue"
    expected_seq: int | None = None
    payload: str | None = None
    model: str | None = None
    facets: Mapping[str, Json] = field(default_factory=dict[str, Json])


class Inputs:
    def __init__(self, store: Store, clock: Clock, hub: Hub) -> None:
        self._store = store
        self._clock = clock
        self._hub = hub

    async def send(
        self, org: OrgId, session: SessionId, new: NewInput, by: Actor, repeat: Repeat | None = None
    ) -> Result[Input]:
        """The input and the id of its turn to be. LimitExceeded if too many wait already."""
        now = self._clock.now()
        sent: list[Input] = []

        async def receive(tx: Tx) -> Remembered:
            sent[:] = [await self.receive(tx, await lock(tx, org, session), new, by, now)]
            return Remembered({"input": str(sent[0].id)})

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: receive(tx))

        answer = await self._store.write(verb)
        if answer.replayed:
            return Result(await self.get(org, session, InputId(UUID(answer.ids["input"]))), replayed=True)
        return Result(sent[0])

    async def receive(self, tx: Tx, state: State, new: NewInput, by: Actor, now: datetime) -> Input:
        """Write an input to a locked session."""
        last_seq = state.session.next_seq - 1
        if new.expected_seq is not None and new.expected_seq != last_seq:
            raise SequenceMismatch(new.expected_seq, last_seq)
        if state.session.queued_inputs >= MAX_QUEUED:
            raise LimitExceeded("queued inputs of a session", MAX_QUEUED, retry_after_seconds=1)
        org, session = state.session.org, state.session.id
        interrupts = new.delivery == "interrupt"
        is_parked = state.turn is not None and state.turn.parked
        dismisses = new.delivery == "steer" and is_parked
        command = ReceiveInput(
            input=InputId(uuid7()),
            turn=TurnId(uuid7()),
            kind=new.kind,
            delivery=new.delivery,
            content=new.content,
            by=by,
            facets=new.facets,
            payload=new.payload,
            model=new.model,
            unfinished=await stopped(tx, state, self._hub) if interrupts else Unfinished(),
            asks=tuple(await tx.list_asks(org, session, open_only=True)) if dismisses else (),
            opened=await _unclaimed(tx, state),
        )
        return (await carry_out(tx, state, command, now)).inputs[0]

    async def get(self, org: OrgId, session: SessionId, input: InputId) -> Input:
        found = await self._store.reads.get_input(org, session, input)
        # The inputs of a deleted session outlive it until they are purged.
        if found is None or session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("input", input)
        return found

    async def list(
        self, org: OrgId, session: SessionId, status: InputStatus | None, after: int, limit: int
    ) -> Sequence[Input]:
        """`after` is the position of the last input of the page before."""
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        return await self._store.reads.list_inputs(org, session, status, after, limit)

    async def queue(
        self, org: OrgId, session: SessionId, after: tuple[int, int] | None, limit: int
    ) -> Sequence[Input]:
        """The queued inputs in the order in which their turns will come; `after` is the `place` of the last one seen.

        A steer may be read sooner, by the turn that is open.
        """
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        return await self._store.reads.list_queue(org, session, after, limit)

    async def edit(
        self,
        org: OrgId,
        session: SessionId,
        input: InputId,
        content: tuple[TextPart, ...],
        by: Actor,
        expected_revision: int | None = None,
    ) -> Input:
        def command(found: Input) -> Command:
            return EditInput(input=found, content=content, by=by, expected_revision=expected_revision)

        await self._change(org, session, input, command)
        return await self.get(org, session, input)

    async def move(
        self,
        org: OrgId,
        session: SessionId,
        input: InputId,
        before: InputId | None,
        by: Actor,
        *,
        expected_revision: int | None = None,
        repeat: Repeat | None = None,
    ) -> Result[Input]:
        """Put a queued input directly before another one, or to the end of the queue."""
        now = self._clock.now()

        async def move(tx: Tx) -> Remembered:
            state = await lock(tx, org, session)
            found = await _found(tx, org, session, input)
            command = MoveInput(
                input=found,
                before=None if before is None else await _found(tx, org, session, before),
                last=await tx.last_queued(org, session, input) if before is None else None,
                opened=await _unclaimed(tx, state),
                by=by,
                expected_revision=expected_revision,
            )
            await carry_out(tx, state, command, now)
            return Remembered({"input": str(input)}, created=False)

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: move(tx))

        answer = await self._store.write(verb)
        return Result(await self.get(org, session, input), created=False, replayed=answer.replayed)

    async def withdraw(
        self,
        org: OrgId,
        session: SessionId,
        input: InputId,
        by: Actor,
        expected_revision: int | None = None,
    ) -> Input:
        def command(found: Input) -> Command:
            return WithdrawInput(input=found, by=by, expected_revision=expected_revision)

        await self._change(org, session, input, command)
        return await self.get(org, session, input)

    async def _change(
        self, org: OrgId, session: SessionId, input: InputId, command: Callable[[Input], Command]
    ) -> None:
        # Read under the session's lock, which a claim takes too: an input is either edited or delivered first.
        async def verb(tx: Tx) -> Decision:
            state = await lock(tx, org, session)
            found = await _found(tx, org, session, input)
            return await carry_out(tx, state, command(found), self._clock.now())

        await self._store.write(verb)


async def _found(tx: Tx, org: OrgId, session: SessionId, input: InputId) -> Input:
    found = await tx.get_input(org, session, input)
    if found is None:
        raise NotFound("input", input)
    return found


async def _unclaimed(tx: Tx, state: State) -> Input | None:
    """The input of the open turn, if nobody has claimed it yet."""
    if state.turn is None or state.turn.attempt:
        return None
    return await tx.get_input(state.session.org, state.session.id, state.turn.input)
