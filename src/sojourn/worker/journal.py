"""The journal of one claimed turn: the runner's only door to the log."""

import asyncio
from collections.abc import Sequence

from sojourn.domain.errors import LeaseLost
from sojourn.domain.events import RunnerEvent
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import MessageId
from sojourn.ports.turns import ClaimedTurn, Turns


class TurnJournal:
    """Keeps the fold up to date with the log, whatever this turn and its session's clients append."""

    def __init__(self, turns: Turns, turn: ClaimedTurn, conversation: Conversation) -> None:
        self._turns = turns
        self._turn = turn
        self._conversation = conversation
        # Parallel tools append at the same time; the fold takes each entry once, in order.
        self._lock = asyncio.Lock()

    @property
    def turn(self) -> ClaimedTurn:
        return self._turn

    @property
    def conversation(self) -> Conversation:
        return self._conversation

    async def catch_up(self) -> None:
        """LeaseLost where the log tells that the claim stands no more: nothing may be begun on its account."""
        entries = await self._turns.entries_after(self._turn, self._conversation.seq)
        progress = self._conversation.extend(entries).progress
        if (progress.turn, progress.attempt) != (self._turn.turn, self._turn.attempt):
            raise LeaseLost(self._turn.session)

    async def append(
        self,
        events: Sequence[RunnerEvent],
        intents: Sequence[RunnerEvent] = (),
        steers_before: int | None = None,
    ) -> None:
        async with self._lock:
            await self._turns.append(self._turn, events, intents, steers_before)
            await self.catch_up()

    async def read_file(self, path: str) -> bytes | None:
        return await self._turns.read_file(self._turn, path)

    async def list_files(self) -> Sequence[tuple[str, int]]:
        return await self._turns.list_files(self._turn)

    async def write_file(self, path: str, data: bytes) -> None:
        await self._turns.write_file(self._turn, path, data)

    def preview(self, message: MessageId, offset: int, text: str) -> None:
        self._turns.preview(self._turn, message, offset, text)
