"""Turns: the worker's protocol (claim → renew → append → settle), and what clients read and cancel."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Literal

from sojourn.domain.actor import Actor
from sojourn.domain.ask import NewAsk
from sojourn.domain.commands import CancelTurn, WithdrawInput
from sojourn.domain.delivery import Effect, effect_on
from sojourn.domain.draft import State
from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.events import RunnerEvent
from sojourn.domain.feed import Preview
from sojourn.domain.file import file_path
from sojourn.domain.ids import MessageId, OrgId, SessionId, TurnId
from sojourn.domain.kinds import Outcome, RunnerKind
from sojourn.domain.log import LogEntry
from sojourn.domain.memory import MAX_MEMORIES, Expected, Found, Memory, MemoryEntry
from sojourn.domain.queue import turn_to_be
from sojourn.domain.turn import Turn
from sojourn.ports import Clock, Store, Tx
from sojourn.ports.turns import Claim, ClaimedTurn, Ready
from sojourn.service.claims import Claims, Holder, LeaseTerms
from sojourn.service.hub import Hub
from sojourn.service.memories import Memories
from sojourn.service.paging import read_page
from sojourn.service.results import UNSET, Repeat, Result, Unset
from sojourn.service.turn_writes import TurnWrites
from sojourn.service.verbs import PAGE, Remembered, carry_out, lock, once, stopped


class TurnService:
    """`terms` are those of the workers of this process."""

    def __init__(self, store: Store, clock: Clock, claims: Claims, hub: Hub, terms: LeaseTerms) -> None:
        self._store = store
        self._clock = clock
        self._claims = claims
        self._hub = hub
        self._terms = terms
        self._memories = Memories(store, clock)
        self._writes = TurnWrites(store, clock, claims, hub)

    async def get(self, org: OrgId, session: SessionId, turn: TurnId) -> Turn:
        """That of an input which still waits is queued, of one that was withdrawn before it is cancelled."""
        reads = self._store.reads
        found = await reads.get_turn(org, session, turn)
        # The turns of a deleted session outlive it until they are purged.
        record = await reads.get_session(org, session)
        if record is None:
            raise NotFound("turn", turn)
        if found is not None:
            return found
        waiting = await reads.input_of_turn(org, session, turn)
        if waiting is not None:
            return turn_to_be(waiting, record.session.runner)
        # Its input may have become the head between the two reads.
        found = await reads.get_turn(org, session, turn)
        if found is None:
            raise NotFound("turn", turn)
        return found

    async def list(self, org: OrgId, session: SessionId, after: TurnId | None, limit: int) -> Sequence[Turn]:
        if session not in await self._store.reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        return await self._store.reads.list_turns(org, session, after, limit)

    async def cancel(
        self, org: OrgId, session: SessionId, turn: TurnId, by: Actor, repeat: Repeat | None = None
    ) -> Result[Turn]:
        """Stop it, or see that it never begins: the input of a turn that nobody has claimed is withdrawn."""
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def cancel() -> Remembered:
                state = await lock(tx, org, session)
                await carry_out(tx, state, await self._cancellation(tx, state, turn, by), now)
                return Remembered({"turn": str(turn)}, created=False)

            return await once(tx, org, repeat, now, cancel)

        answer = await self._store.write(verb)
        return Result(await self.get(org, session, turn), created=False, replayed=answer.replayed)

    async def _cancellation(
        self, tx: Tx, state: State, turn: TurnId, by: Actor
    ) -> CancelTurn | WithdrawInput:
        org, session = state.session.org, state.session.id
        if await tx.get_turn(org, session, turn) is not None:
            return CancelTurn(turn=turn, by=by, unfinished=await stopped(tx, state, self._hub))
        waiting = await tx.input_of_turn(org, session, turn)
        if waiting is None:
            raise NotFound("turn", turn)
        if waiting.status != "queued":
            raise WrongState("turn", "closed", "be cancelled")
        return WithdrawInput(input=waiting, by=by)

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
        holder = Holder(worker, self._terms)

        async def verb(tx: Tx) -> ClaimedTurn | Unset | None:
            state = await tx.lock_session(ready.org, ready.session, wait=False)
            return UNSET if state is None else await self._claims.take(tx, state, holder, runners)

        return await self._claims.unless_locked(verb)

    async def renew(self, turns: Sequence[ClaimedTurn], worker: str) -> Sequence[ClaimedTurn]:
        return await self._writes.renew(turns, worker)

    async def append(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        await self._writes.append(turn, events, intents, steers_before)

    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None:
        await self._writes.settle(turn, events, reason, error)

    async def retry(
        self, turn: ClaimedTurn, events: Sequence[RunnerEvent], error: str, delay_seconds: float
    ) -> None:
        await self._writes.retry(turn, events, error, delay_seconds)

    async def wait(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
    ) -> None:
        await self._writes.wait(turn, events, asks, mode)

    async def give_back(self, turn: ClaimedTurn) -> None:
        await self._writes.give_back(turn)

    async def entries_after(self, turn: Claim, after: int, wait_seconds: float = 0.0) -> Sequence[LogEntry]:
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

    async def _read(self, turn: Claim, after: int) -> Sequence[LogEntry]:
        reads = self._store.reads
        entries: list[LogEntry] = []
        while page := await read_page(reads, turn.org, turn.session, after, PAGE):
            entries.extend([entry for _, entry in page])
            after = entries[-1].seq
            if len(page) < PAGE:
                break
        return entries

    async def read_file(self, turn: Claim, path: str) -> bytes | None:
        path, reads = file_path(path), self._store.reads
        found = (await reads.get_files(turn.org, turn.session, [path])).get(path)
        if found is None or found.sha256 is None:
            return None
        return await reads.get_blob(turn.org, bytes.fromhex(found.sha256))

    async def list_files(self, turn: Claim) -> Sequence[tuple[str, int]]:
        files = await self._store.reads.list_files(turn.org, turn.session)
        return [(file.path, file.size) for file in files if not file.is_directory]

    async def write_file(self, turn: ClaimedTurn, path: str, data: bytes) -> None:
        await self._writes.write_file(turn, path, data)

    async def delete_file(self, turn: ClaimedTurn, path: str) -> bool:
        return await self._writes.delete_file(turn, path)

    async def list_memories(self, turn: ClaimedTurn, below: str = "") -> Sequence[MemoryEntry]:
        return await self._memories.list(turn.org, turn.agent.id, below, "", MAX_MEMORIES)

    async def read_memory(self, turn: ClaimedTurn, path: str) -> Memory | None:
        return await self._memories.find(turn.org, turn.agent.id, path)

    async def search_memories(self, turn: ClaimedTurn, query: str) -> Sequence[Found]:
        return await self._memories.search(turn.org, turn.agent.id, query)

    async def write_memory(
        self, turn: ClaimedTurn, path: str, text: str, expected: Expected | None = None
    ) -> None:
        await self._writes.write_memory(turn, path, text, expected)

    async def delete_memory(self, turn: ClaimedTurn, path: str) -> bool:
        return await self._writes.delete_memory(turn, path)

    def preview(self, turn: Claim, message: MessageId, offset: int, text: str) -> None:
        self._hub.preview(turn.org, Preview(turn.session, message, offset, text))
