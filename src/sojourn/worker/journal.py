"""The journal of one claimed turn: the runner's only door to the log."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from sojourn.domain.ask import NewAsk
from sojourn.domain.errors import LeaseLost
from sojourn.domain.events import AskDecided, RunnerEvent
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import AskId, MessageId
from sojourn.domain.log import LogEntry
from sojourn.domain.memory import Expected, Found, Memory, MemoryEntry
from sojourn.ports.turns import ClaimedTurn, Turns
from sojourn.worker.characters import said_whole

# A wait for a decision may last for days; it is asked for anew so that no request over HTTP has to.
INBOX_SECONDS: Final = 30.0


class TurnJournal:
    """Keeps the fold up to date with the log, whatever this turn and its session's clients append."""

    def __init__(self, turns: Turns, turn: ClaimedTurn, conversation: Conversation) -> None:
        self._turns = turns
        self._turn = turn
        self._conversation = conversation
        # Parallel tools append at the same time; the fold takes each entry once, in order.
        self._lock = asyncio.Lock()
        # The asks that somebody waits for, each with its decision once there is one.
        self._asked: dict[AskId, AskDecided | None] = {}

    @property
    def turn(self) -> ClaimedTurn:
        return self._turn

    @property
    def conversation(self) -> Conversation:
        return self._conversation

    async def catch_up(self) -> None:
        """LeaseLost where the log tells that the claim stands no more: nothing may be begun on its account."""
        async with self._lock:
            await self._catch_up()

    async def append(
        self,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        async with self._lock:
            await said_whole(
                lambda said: self._turns.append(self._turn, *said, steers_before), (events, intents)
            )
            await self._catch_up()

    async def ask(
        self, asks: Sequence[NewAsk], events: Sequence[RunnerEvent] = ()
    ) -> Mapping[AskId, AskDecided]:
        ids = [ask.id for ask in asks]
        self._asked |= dict.fromkeys(ids)
        try:
            async with self._lock:
                await said_whole(lambda said: self._turns.wait(self._turn, *said, "held"), (events, asks))
                await self._catch_up()
            while True:
                decided = {id: one for id in ids if (one := self._asked[id]) is not None}
                if len(decided) == len(ids):
                    return decided
                await self._hear()
        finally:
            for id in ids:
                del self._asked[id]

    async def _hear(self) -> None:
        """Wait for news outside the lock, so that others append meanwhile; what they have read is not taken again."""
        entries = await self._turns.entries_after(self._turn, self._conversation.seq, INBOX_SECONDS)
        async with self._lock:
            self._take([entry for entry in entries if entry.seq > self._conversation.seq])

    async def _catch_up(self) -> None:
        self._take(await self._turns.entries_after(self._turn, self._conversation.seq))

    def _take(self, entries: Sequence[LogEntry]) -> None:
        progress = self._conversation.extend(entries).progress
        for entry in entries:
            if isinstance(entry.event, AskDecided) and entry.event.ask in self._asked:
                self._asked[entry.event.ask] = entry.event
        if (progress.turn, progress.attempt) != (self._turn.turn, self._turn.attempt):
            raise LeaseLost(self._turn.session)

    async def read_file(self, path: str) -> bytes | None:
        return await self._turns.read_file(self._turn, path)

    async def list_files(self) -> Sequence[tuple[str, int]]:
        return await self._turns.list_files(self._turn)

    async def write_file(self, path: str, data: bytes) -> None:
        await self._turns.write_file(self._turn, path, data)

    async def delete_file(self, path: str) -> bool:
        return await self._turns.delete_file(self._turn, path)

    async def list_memories(self, below: str = "") -> Sequence[MemoryEntry]:
        return await self._turns.list_memories(self._turn, below)

    async def read_memory(self, path: str) -> Memory | None:
        return await self._turns.read_memory(self._turn, path)

    async def search_memories(self, query: str) -> Sequence[Found]:
        return await self._turns.search_memories(self._turn, query)

    async def write_memory(self, path: str, text: str, expected: Expected | None = None) -> None:
        await self._turns.write_memory(self._turn, path, text, expected)

    async def delete_memory(self, path: str) -> bool:
        return await self._turns.delete_memory(self._turn, path)

    def preview(self, message: MessageId, offset: int, text: str) -> None:
        self._turns.preview(self._turn, message, offset, text)
