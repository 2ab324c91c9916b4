"""What a worker writes for its turn. Every write is fenced, whoever's worker it is."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeVar

from sojourn.domain.actor import Actor
from sojourn.domain.ask import NewAsk
from sojourn.domain.budget import check
from sojourn.domain.commands import (
    AppendEvents,
    Command,
    ReclaimTurn,
    RetryTurn,
    SettleTurn,
    StopAtBudget,
    WaitTurn,
)
from sojourn.domain.draft import Decision, State
from sojourn.domain.errors import CallRefused, LeaseLost, NotFound, WrongState
from sojourn.domain.events import RunnerEvent
from sojourn.domain.file import file_path
from sojourn.domain.ids import KeyId
from sojourn.domain.kinds import Outcome
from sojourn.domain.memory import Expected, MemoryText, Writer, access_of, memory_path
from sojourn.domain.memory_events import MemoryDeleted, MemoryWritten
from sojourn.domain.session import Session
from sojourn.domain.turn import HELD, Turn
from sojourn.ports import Clock, Store, Tx
from sojourn.ports.turns import Claim
from sojourn.service.areas import Area, Content
from sojourn.service.claims import Claims, holder_of
from sojourn.service.hub import Hub
from sojourn.service.results import Repeat
from sojourn.service.shelves import Shelf
from sojourn.service.verbs import Remembered, carry_out, lock, once, stopped, unfinished

MAX_STEERS: Final = 100

C = TypeVar("C", bound=Claim)


@dataclass(slots=True)
class Outside:
    """How the write of a worker outside is let in: `guard` looks at it under the session's lock and may refuse it.

    A worker whose answer was lost sends the same again, and `repeat` recognises it: it is written once and answered
    as the first time, also where the claim is over by then. `replayed` says afterwards that this was such a one.
    """

    guard: Callable[[Tx, State], Awaitable[None]]
    repeat: Repeat | None
    replayed: bool = False


class TurnWrites:
    """The writes of `Turns`, for the workers of this process and, with `outside`, for others."""

    def __init__(self, store: Store, clock: Clock, claims: Claims, hub: Hub) -> None:
        self._store = store
        self._clock = clock
        self._claims = claims
        self._hub = hub

    async def renew(self, turns: Sequence[C], worker: str) -> Sequence[C]:
        now = self._clock.now()

        async def verb(tx: Tx) -> Sequence[C]:
            lost: list[C] = []
            # In one order everywhere, so that two renewals never wait for each other's rows in a circle.
            for turn in sorted(turns, key=lambda turn: turn.session):
                holder = holder_of(turn, worker)
                if not await tx.renew_lease(turn.org, turn.session, "turn", holder, now):
                    lost.append(turn)
            return lost

        return await self._store.write(verb)

    async def append(
        self,
        turn: Claim,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
        outside: Outside | None = None,
    ) -> None:
        async def command(tx: Tx, state: State) -> Command:
            steers = ()
            if steers_before is not None and state.session.queued_inputs:
                steers = tuple(
                    await tx.queued_inputs(turn.org, turn.session, steers_only=True, limit=MAX_STEERS)
                )
            return AppendEvents(
                events=tuple(events), intents=tuple(intents), steers_before=steers_before, steers=steers
            )

        async def act(tx: Tx) -> Decision:
            return await self._stop_at_budget(tx, await self._fenced(tx, turn, command, outside))

        # Only a budget takes the turn away from its own worker's append.
        if await self._once(turn, act, outside) == "release":
            raise CallRefused(turn.session)

    async def _stop_at_budget(self, tx: Tx, decision: Decision) -> Decision:
        """What becomes of a turn whose runner does not ask before it calls a model."""
        session = decision.session
        if (
            not (session.budgets or session.kin.budgeted)
            or session.runner == "model"
            or decision.lease == "release"
        ):
            return decision
        state = await lock(tx, session.org, session.id)
        if check(state.budgets).action != "stop":
            return decision
        command = StopAtBudget(unfinished=await stopped(tx, state, self._hub))
        return await carry_out(tx, state, command, self._clock.now())

    async def settle(
        self,
        turn: Claim,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
        outside: Outside | None = None,
    ) -> None:
        command = SettleTurn(events=tuple(events), reason=reason, error=error)
        await self._write(turn, _just(command), outside)

    async def retry(
        self,
        turn: Claim,
        events: Sequence[RunnerEvent],
        error: str,
        delay_seconds: float,
        outside: Outside | None = None,
    ) -> None:
        retry_at = self._clock.now() + timedelta(seconds=delay_seconds)
        command = RetryTurn(events=tuple(events), error=error, retry_at=retry_at)
        await self._write(turn, _just(command), outside)

    async def wait(
        self,
        turn: Claim,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
        outside: Outside | None = None,
    ) -> None:
        now = self._clock.now()
        opened = tuple(ask.opened(turn.turn, now) for ask in asks)
        await self._write(turn, _just(WaitTurn(events=tuple(events), asks=opened, mode=mode)), outside)

    async def give_back(self, turn: Claim, outside: Outside | None = None) -> None:
        async def command(tx: Tx, state: State) -> Command:
            # A worker that is stopped in the middle of its last write cannot know that it was made.
            if state.turn is None or state.turn.status not in HELD:
                raise LeaseLost(turn.session)
            return ReclaimTurn(cause="worker_stopped", unfinished=await unfinished(tx, state))

        await self._write(turn, command, outside)

    async def write_file(self, turn: Claim, path: str, data: bytes) -> None:
        path, content = file_path(path), Content.of(data)

        async def command(tx: Tx, _state: State) -> Command:
            changes = await Area(tx, turn.org, turn.session).write(path, content)
            return AppendEvents(events=changes)

        await self._write(turn, command)

    async def delete_file(self, turn: Claim, path: str) -> bool:
        path = file_path(path)

        async def command(tx: Tx, _state: State) -> Command:
            return AppendEvents(events=await Area(tx, turn.org, turn.session).delete(path, recursive=False))

        try:
            await self._write(turn, command)
        except NotFound:
            return False
        return True

    async def write_memory(self, turn: Claim, path: str, text: str, expected: Expected | None) -> None:
        path, content = memory_path(path), MemoryText.of(text)
        by = Writer(actor=Actor("agent", turn.key), session=turn.session, turn=turn.turn)

        async def change(shelf: Shelf) -> tuple[MemoryWritten, ...]:
            return await shelf.write(path, content, expected, by, self._clock.now())

        await self._change_memory(turn, change)

    async def delete_memory(self, turn: Claim, path: str) -> bool:
        """False if there was none."""
        path = memory_path(path)
        return await self._change_memory(turn, lambda shelf: shelf.delete(path, None))

    async def _change_memory(
        self,
        turn: Claim,
        change: Callable[[Shelf], Awaitable[tuple[MemoryWritten, ...] | tuple[MemoryDeleted, ...]]],
    ) -> bool:
        """Whether it changed anything; the log says what, in the same transaction."""
        changed = False

        async def command(tx: Tx, state: State) -> Command:
            nonlocal changed
            assert state.turn is not None
            agent = await self._claims.agent_of(tx, state, state.turn)
            if access_of(agent.spec) != "read_write":
                raise WrongState("memory", "not given to the agent to write", "be changed")
            events = await change(await Shelf.locked(tx, turn.org, agent.id))
            # Postgres may run this twice; the last run is the one that counts.
            changed = bool(events)
            return AppendEvents(events=events)

        await self._write(turn, command)
        return changed

    async def _write(
        self,
        turn: Claim,
        command: Callable[[Tx, State], Awaitable[Command]],
        outside: Outside | None = None,
    ) -> None:
        """A write for a turn. The fence is read under the row's lock and repeated in the row's update."""
        await self._once(turn, lambda tx: self._fenced(tx, turn, command, outside), outside)

    async def _once(
        self, turn: Claim, act: Callable[[Tx], Awaitable[Decision]], outside: Outside | None
    ) -> str:
        """What the write did to the turn's lease. A repetition is known before the fence is looked at."""
        now = self._clock.now()

        async def made(tx: Tx) -> Remembered:
            return Remembered({"lease": (await act(tx)).lease}, created=False)

        async def verb(tx: Tx) -> Remembered:
            repeat = None if outside is None else outside.repeat
            return await once(tx, turn.org, repeat, now, lambda: made(tx))

        answer = await self._store.write(verb)
        if outside is not None:
            outside.replayed = answer.replayed
        return answer.ids["lease"]

    async def _fenced(
        self,
        tx: Tx,
        turn: Claim,
        command: Callable[[Tx, State], Awaitable[Command]],
        outside: Outside | None = None,
    ) -> Decision:
        state = await tx.lock_session(turn.org, turn.session)
        if state is None or not stands(turn, state.session, state.turn):
            raise LeaseLost(turn.session)
        if outside is not None:
            await outside.guard(tx, state)
        return await carry_out(tx, state, await command(tx, state), self._clock.now())


def stands(claim: Claim, session: Session, turn: Turn | None) -> bool:
    """Whether a claim still lets its holder write; what another key claimed is not the asking one's."""
    if session.fence != claim.fence or turn is None or turn.id != claim.turn:
        return False
    return claim.key is None or is_of_key(turn.worker, claim.key)


def outside_name(name: str, key: KeyId) -> str:
    """What the log calls a worker outside: the name that it gives itself, and the key that it came with."""
    return f"{name}@{key}"


def is_of_key(worker: str | None, key: KeyId) -> bool:
    return worker is not None and worker.endswith(f"@{key}")


def _just(command: Command) -> Callable[[Tx, State], Awaitable[Command]]:
    async def make(_tx: Tx, _state: State) -> Command:
        return command

    return make
