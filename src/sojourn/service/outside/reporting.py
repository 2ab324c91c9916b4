"""What a worker outside reads and says of the turns that it has."""

from collections.abc import Callable, Sequence
from typing import Literal

from sojourn.domain.agent import SELF_DRIVEN
from sojourn.domain.ask import NewAsk
from sojourn.domain.draft import State
from sojourn.domain.errors import InvalidRequest, LeaseLost
from sojourn.domain.events import RunnerEvent
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import AgentId, MessageId
from sojourn.domain.input import Input
from sojourn.domain.kinds import Outcome
from sojourn.domain.log import StoredEvent
from sojourn.domain.memory import MAX_MEMORIES, Expected, Found, Memory, MemoryEntry
from sojourn.domain.record import SessionRecord
from sojourn.domain.reports import Report
from sojourn.domain.turn import Turn
from sojourn.ports import Store, Tx
from sojourn.ports.turns import Claim, ClaimedTurn
from sojourn.service.codec import get_large
from sojourn.service.hub import Hub
from sojourn.service.memories import Memories
from sojourn.service.outside.accounts import Accounts
from sojourn.service.outside.callers import Caller
from sojourn.service.outside.patience import or_closed
from sojourn.service.results import Repeat
from sojourn.service.turn_writes import Outside, TurnWrites, stands
from sojourn.service.turns import TurnService


class OutsideTurns:
    def __init__(
        self, store: Store, turns: TurnService, writes: TurnWrites, memories: Memories, hub: Hub
    ) -> None:
        self._store = store
        self._memories = memories
        self._writes = writes
        self._turns = turns
        self._hub = hub
        self._accounts = Accounts()

    async def renew(self, claims: Sequence[Claim], caller: Caller) -> Sequence[Claim]:
        """Those that are lost."""
        return await self._writes.renew(claims, caller.worker)

    async def append(
        self,
        claim: Claim,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent],
        steers_before: int | None,
        repeat: Repeat | None,
    ) -> bool:
        """As `Turns.append`, like those below. Whether it was said before; InvalidRequest for what cannot be so."""
        outside = self._outside(repeat, lambda report: report.append(events, intents, steers_before))
        await self._writes.append(claim, events, intents, steers_before, outside)
        return outside.replayed

    async def settle(
        self,
        claim: Claim,
        events: Sequence[RunnerEvent],
        reason: Outcome,
        error: str | None,
        repeat: Repeat | None,
    ) -> bool:
        outside = self._outside(repeat, lambda report: report.settle(events))
        await self._writes.settle(claim, events, reason, error, outside)
        return outside.replayed

    async def retry(
        self,
        claim: Claim,
        events: Sequence[RunnerEvent],
        error: str,
        delay_seconds: float,
        repeat: Repeat | None,
    ) -> bool:
        outside = self._outside(repeat, lambda report: report.retry(events))
        await self._writes.retry(claim, events, error, delay_seconds, outside)
        return outside.replayed

    async def wait(
        self,
        claim: Claim,
        events: Sequence[RunnerEvent],
        asks: Sequence[NewAsk],
        mode: Literal["held", "parked"],
        repeat: Repeat | None,
    ) -> bool:
        outside = self._outside(repeat, lambda report: report.wait(events, asks), asks)
        await self._writes.wait(claim, events, asks, mode, outside)
        return outside.replayed

    async def give_back(self, claim: Claim, repeat: Repeat | None) -> bool:
        outside = Outside(_admit, repeat)
        await self._writes.give_back(claim, outside)
        return outside.replayed

    def _outside(
        self, repeat: Repeat | None, check: Callable[[Report], None], new_asks: Sequence[NewAsk] = ()
    ) -> Outside:
        async def guard(tx: Tx, state: State) -> None:
            check(
                Report(
                    await self._accounts.read(tx, state), announces=state.session.runner not in SELF_DRIVEN
                )
            )
            for index, ask in enumerate(new_asks):
                if await tx.get_ask(state.session.org, state.session.id, ask.id) is not None:
                    raise InvalidRequest(f"asks.{index}.id", "is the id of another ask")
                if ask.kind == "session" and state.session.runner != "model":
                    raise InvalidRequest(
                        f"asks.{index}.kind", f"is none of the runner {state.session.runner}"
                    )

        return Outside(guard, repeat)

    async def entries_after(
        self, claim: Claim, after: int, limit: int, wait_seconds: float
    ) -> Sequence[tuple[StoredEvent, str]]:
        """A page of the session's log, each entry with its data, whole; where there is none yet, it is waited for."""
        await self.require(claim)
        reads = self._store.reads
        found = await reads.events_after(claim.org, claim.session, after, limit)
        if not found and wait_seconds > 0:
            await or_closed(self._hub, self._turns.entries_after(claim, after, wait_seconds), ())
            await self.require(claim)
            found = await reads.events_after(claim.org, claim.session, after, limit)
        return [(event, await get_large(reads, event)) for event in found]

    async def require(self, claim: Claim) -> tuple[SessionRecord, Turn]:
        """The session and the turn of a claim that stands; LeaseLost of any other."""
        record = await self._store.reads.get_session(claim.org, claim.session)
        turn = await self._store.reads.get_turn(claim.org, claim.session, claim.turn)
        if record is None or turn is None or record.session.open_turn != claim.turn:
            raise LeaseLost(claim.session)
        if not stands(claim, record.session, turn):
            raise LeaseLost(claim.session)
        return record, turn

    async def input_of(self, turn: ClaimedTurn) -> Input:
        """What the turn is about."""
        found = await self._store.reads.get_turn(turn.org, turn.session, turn.turn)
        input = None
        if found is not None:
            input = await self._store.reads.get_input(turn.org, turn.session, found.input)
        if input is None:
            raise LeaseLost(turn.session)
        return input

    async def conversation(self, claim: Claim) -> Conversation:
        """What was said so far, and done, for workers that do not read the log themselves."""
        await self.require(claim)
        return Conversation().extend(await self._turns.entries_after(claim, 0))

    async def read_file(self, claim: Claim, path: str) -> bytes | None:
        await self.require(claim)
        return await self._turns.read_file(claim, path)

    async def list_files(self, claim: Claim) -> Sequence[tuple[str, int]]:
        await self.require(claim)
        return await self._turns.list_files(claim)

    async def write_file(self, claim: Claim, path: str, data: bytes) -> None:
        """A repetition writes what is there already, which is no event."""
        await self._writes.write_file(claim, path, data)

    async def delete_file(self, claim: Claim, path: str) -> bool:
        """A repetition finds nothing, and says so."""
        return await self._writes.delete_file(claim, path)

    async def list_memories(self, claim: Claim, below: str) -> Sequence[MemoryEntry]:
        return await self._memories.list(claim.org, await self._agent(claim), below, "", MAX_MEMORIES)

    async def read_memory(self, claim: Claim, path: str) -> Memory | None:
        return await self._memories.find(claim.org, await self._agent(claim), path)

    async def search_memories(self, claim: Claim, query: str) -> Sequence[Found]:
        return await self._memories.search(claim.org, await self._agent(claim), query)

    async def write_memory(self, claim: Claim, path: str, text: str, expected: Expected | None) -> None:
        """A repetition finds its own text, which is no event."""
        await self._writes.write_memory(claim, path, text, expected)

    async def delete_memory(self, claim: Claim, path: str) -> bool:
        return await self._writes.delete_memory(claim, path)

    async def _agent(self, claim: Claim) -> AgentId:
        return (await self.require(claim))[0].session.agent

    async def preview(self, claim: Claim, message: MessageId, offset: int, text: str) -> None:
        await self.require(claim)
        self._turns.preview(claim, message, offset, text)


async def _admit(_tx: Tx, _state: State) -> None:
    return None
