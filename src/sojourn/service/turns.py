"""Turns: the worker's protocol (claim → renew → append → settle), and what clients read and cancel."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal

from sojourn.domain.actor import Actor
from sojourn.domain.agent import SPAWNING
from sojourn.domain.ask import NewAsk
from sojourn.domain.budget import check
from sojourn.domain.commands import (
    AppendEvents,
    CancelTurn,
    ClaimTurn,
    Command,
    FirstCall,
    ReclaimTurn,
    RetryTurn,
    SettleTurn,
    StopAtBudget,
    WaitTurn,
)
from sojourn.domain.delivery import Effect, effect_on
from sojourn.domain.draft import Decision, State
from sojourn.domain.errors import CallRefused, LeaseLost, NotFound
from sojourn.domain.events import RunnerEvent
from sojourn.domain.feed import Preview
from sojourn.domain.file import file_path
from sojourn.domain.file_events import FileWritten
from sojourn.domain.ids import MessageId, OrgId, SessionId, TurnId, uuid7
from sojourn.domain.kinds import Outcome, RunnerKind
from sojourn.domain.log import LogEntry
from sojourn.domain.record import Lease
from sojourn.domain.session import Session
from sojourn.domain.turn import CLAIMABLE, HELD, Turn
from sojourn.ports import Clock, Store, Tx
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.agents import Agents
from sojourn.service.areas import Area, Content
from sojourn.service.codec import read_entry
from sojourn.service.hub import Hub
from sojourn.service.results import UNSET, Repeat, Result, Unset
from sojourn.service.verbs import PAGE, Remembered, carry_out, lock, once, stopped, unfinished

LEASE_TTL_SECONDS: Final = 15.0
MAX_STEERS: Final = 100
CLAIM_TRIES: Final = 3
CLAIM_PAUSE_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How this process's workers hold turns: for `ttl_seconds` after each renewal, or for the life of `boot`."""

    ttl_seconds: float | None
    boot: str | None


class TurnService:
    def __init__(
        self, store: Store, clock: Clock, agents: Agents, hub: Hub, terms: LeaseTerms, default_model: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._hub = hub
        self._terms = terms
        self._default_model = default_model

    async def get(self, org: OrgId, session: SessionId, turn: TurnId) -> Turn:
        found = await self._store.reads.get_turn(org, session, turn)
        # The turns of a deleted session outlive it until they are purged.
        if found is None or session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("turn", turn)
        return found

    async def list(self, org: OrgId, session: SessionId, after: TurnId | None, limit: int) -> Sequence[Turn]:
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        return await self._store.reads.list_turns(org, session, after, limit)

    async def cancel(
        self, org: OrgId, session: SessionId, turn: TurnId, by: Actor, repeat: Repeat | None = None
    ) -> Result[Turn]:
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def cancel() -> Remembered:
                state = await lock(tx, org, session)
                if await tx.get_turn(org, session, turn) is None:
                    raise NotFound("turn", turn)
                left = await stopped(tx, state, self._hub)
                command = CancelTurn(turn=turn, by=by, unfinished=left)
                await carry_out(tx, state, command, now)
                return Remembered({"turn": str(turn)}, created=False)

            return await once(tx, org, repeat, now, cancel)

        answer = await self._store.write(verb)
        return Result(await self.get(org, session, turn), created=False, replayed=answer.replayed)

    async def interrupt(
        self, org: OrgId, session: SessionId, by: Actor, repeat: Repeat | None = None
    ) -> Result[bool]:
        """Stop the session's turn if it is at work; whether it was. The session stays open for its next input."""
        now = self._clock.now()

        async def interrupt(tx: Tx) -> Remembered:
            state = await lock(tx, org, session)
            effect = effect_on(state.session, state.turn, "interrupt", "interrupt")
            if state.turn is None or effect is not Effect.STOP:
                return Remembered({}, created=False)
            left = await stopped(tx, state, self._hub)
            await carry_out(tx, state, CancelTurn(turn=state.turn.id, by=by, unfinished=left), now)
            return Remembered({"turn": str(state.turn.id)}, created=False)

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: interrupt(tx))

        answer = await self._store.write(verb)
        return Result("turn" in answer.ids, created=False, replayed=answer.replayed)

    async def ready(self, runner: RunnerKind, limit: int) -> Sequence[Ready]:
        return await self._store.reads.ready_turns(runner, self._clock.now(), limit)

    async def claim(self, ready: Ready, worker: str, runners: Collection[RunnerKind]) -> ClaimedTurn | None:
        """Take the turn if it is still to be had. The first model call's intent is part of the claim."""

        async def verb(tx: Tx) -> ClaimedTurn | Unset | None:
            state = await tx.lock_session(ready.org, ready.session, wait=False)
            if state is None:
                return UNSET
            if not self._is_claimable(state, runners):
                return None
            return await self._claim(tx, state, worker)

        # A claim never waits for a row: that would keep a connection from the others. Whoever holds the lock most
        # likely takes the turn; if not (an input's append leaves it ready), the row is free in a moment.
        for _ in range(CLAIM_TRIES):
            claimed = await self._store.write(verb)
            if not isinstance(claimed, Unset):
                return claimed
            await asyncio.sleep(CLAIM_PAUSE_SECONDS)
        return None

    def _is_claimable(self, state: State, runners: Collection[RunnerKind]) -> bool:
        turn = state.turn
        if turn is None or turn.status not in CLAIMABLE or turn.runner not in runners:
            return False
        return turn.not_before is None or turn.not_before <= self._clock.now()

    async def _claim(self, tx: Tx, state: State, worker: str) -> ClaimedTurn | None:
        """None if a budget allows no call: the claim itself has ended or parked the turn then."""
        session, turn = state.session, state.turn
        assert turn is not None
        version = turn.agent_version or session.agent_version
        agent = await self._agents.get_version(tx, session.org, session.agent, version)
        if session.overlaid:
            overlay = await tx.get_overlay(session.org, session.id)
            agent = agent if overlay is None else replace(agent, spec=overlay.over(agent.spec))
        model = (agent.spec.model or self._default_model) if turn.runner == "model" else None
        command = ClaimTurn(
            worker=worker,
            spawns=turn.runner in SPAWNING,
            agent_version=version,
            first_call=None if model is None else FirstCall(model=model, message=MessageId(uuid7())),
        )
        now = self._clock.now()
        decision = await carry_out(tx, state, command, now)
        if decision.lease != "acquire":
            return None
        claimed = ClaimedTurn(
            org=session.org,
            session=session.id,
            turn=turn.id,
            fence=decision.session.fence,
            attempt=turn.attempt + 1,
            faults=turn.faults,
            agent=agent,
            model=model,
            alias=await _alias(tx, session) if turn.runner == "http" else None,
        )
        # The deletion of a predecessor's lease and this insert are in one transaction with the new fence.
        await tx.acquire_lease(
            Lease(
                org=session.org,
                session=session.id,
                kind="turn",
                holder=holder_of(claimed, worker),
                ttl_seconds=self._terms.ttl_seconds,
                last_seen_at=now,
                boot=self._terms.boot,
            )
        )
        return claimed

    async def renew(self, turns: Sequence[ClaimedTurn], worker: str) -> Sequence[ClaimedTurn]:
        now = self._clock.now()

        async def verb(tx: Tx) -> Sequence[ClaimedTurn]:
            lost: list[ClaimedTurn] = []
            # In one order everywhere, so that two renewals never wait for each other's rows in a circle.
            for turn in sorted(turns, key=lambda turn: turn.session):
                # The holder carries the fence: a worker that lost its turn cannot renew the lease of a later claim.
                holder = holder_of(turn, worker)
                if not await tx.renew_lease(turn.org, turn.session, "turn", holder, now):
                    lost.append(turn)
            return lost

        return await self._store.write(verb)

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
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

        async def verb(tx: Tx) -> Decision:
            return await self._stop_at_budget(tx, await self._fenced(tx, turn, command))

        # Only a budget takes the turn away from its own worker's append.
        if (await self._store.write(verb)).lease == "release":
            raise CallRefused(turn.session)

    async def _stop_at_budget(self, tx: Tx, decision: Decision) -> Decision:
        """What becomes of a turn whose runner does not ask before it calls a model."""
        session = decision.session
        if not session.budgets or session.runner == "model" or decision.lease == "release":
            return decision
        state = await lock(tx, session.org, session.id)
        if check(state.budgets).action != "stop":
            return decision
        command = StopAtBudget(unfinished=await stopped(tx, state, self._hub))
        return await carry_out(tx, state, command, self._clock.now())

    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None:
        await self._write(turn, _just(SettleTurn(events=tuple(events), reason=reason, error=error)))

    async def retry(
        self, turn: ClaimedTurn, events: Sequence[RunnerEvent], error: str, delay_seconds: float
    ) -> None:
        retry_at = self._clock.now() + timedelta(seconds=delay_seconds)
        await self._write(turn, _just(RetryTurn(events=tuple(events), error=error, retry_at=retry_at)))

    async def wait(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
    ) -> None:
        now = self._clock.now()
        opened = tuple(ask.opened(turn.turn, now) for ask in asks)
        await self._write(turn, _just(WaitTurn(events=tuple(events), asks=opened, mode=mode)))

    async def give_back(self, turn: ClaimedTurn) -> None:
        async def command(tx: Tx, state: State) -> Command:
            # A worker that is stopped in the middle of its last write cannot know that it was made.
            if state.turn is None or state.turn.status not in HELD:
                raise LeaseLost(turn.session)
            return ReclaimTurn(cause="worker_stopped", unfinished=await unfinished(tx, state))

        await self._write(turn, command)

    async def entries_after(
        self, turn: ClaimedTurn, after: int, wait_seconds: float = 0.0
    ) -> Sequence[LogEntry]:
        entries = await self._read(turn, after)
        if entries or wait_seconds <= 0:
            return entries
        until = asyncio.get_running_loop().time() + wait_seconds
        channel = self._hub.subscribe(turn.org, turn.session)
        try:
            # Read again behind the subscription: what is committed from here on is told to the channel.
            position = channel.end
            if channel.subscribers == 1:
                channel.told = max(channel.told, after)
            while not (entries := await self._read(turn, after)):
                async with asyncio.timeout_at(until):
                    await channel.grown(after, position)
                position = channel.end
        except TimeoutError:
            return ()
        else:
            return entries
        finally:
            self._hub.unsubscribe(turn.org, turn.session, channel)

    async def _read(self, turn: ClaimedTurn, after: int) -> Sequence[LogEntry]:
        reads = self._store.reads
        entries: list[LogEntry] = []
        while events := await reads.events_after(turn.org, turn.session, after, PAGE):
            entries.extend([await read_entry(reads, event) for event in events])
            after = events[-1].seq
            if len(events) < PAGE:
                break
        return entries

    async def read_file(self, turn: ClaimedTurn, path: str) -> bytes | None:
        path, reads = file_path(path), self._store.reads
        found = (await reads.get_files(turn.org, turn.session, [path])).get(path)
        if found is None or found.sha256 is None:
            return None
        return await reads.get_blob(turn.org, bytes.fromhex(found.sha256))

    async def list_files(self, turn: ClaimedTurn) -> Sequence[tuple[str, int]]:
        files = await self._store.reads.list_files(turn.org, turn.session)
        return [(file.path, file.size) for file in files if not file.is_directory]

    async def write_file(self, turn: ClaimedTurn, path: str, data: bytes) -> None:
        path, content = file_path(path), Content.of(data)

        async def command(tx: Tx, _state: State) -> Command:
            changes = await Area(tx, turn.org, turn.session).write(path, content)
            return AppendEvents(events=tuple(one for one in changes if isinstance(one, FileWritten)))

        await self._write(turn, command)

    def preview(self, turn: ClaimedTurn, message: MessageId, offset: int, text: str) -> None:
        self._hub.preview(turn.org, Preview(turn.session, message, offset, text))

    async def _write(self, turn: ClaimedTurn, command: Callable[[Tx, State], Awaitable[Command]]) -> Decision:
        """A write for a turn. The fence is read under the row's lock and repeated in the row's update."""

        return await self._store.write(lambda tx: self._fenced(tx, turn, command))

    async def _fenced(
        self, tx: Tx, turn: ClaimedTurn, command: Callable[[Tx, State], Awaitable[Command]]
    ) -> Decision:
        state = await tx.lock_session(turn.org, turn.session)
        if state is None or state.session.fence != turn.fence or state.session.open_turn != turn.turn:
            raise LeaseLost(turn.session)
        return await carry_out(tx, state, await command(tx, state), self._clock.now())


async def _alias(tx: Tx, session: Session) -> str | None:
    record = await tx.get_session(session.org, session.id)
    return None if record is None else record.alias


def holder_of(turn: ClaimedTurn, worker: str) -> str:
    return f"{worker}/{turn.fence}"


def _just(command: Command) -> Callable[[Tx, State], Awaitable[Command]]:
    async def make(_tx: Tx, _state: State) -> Command:
        return command

    return make
