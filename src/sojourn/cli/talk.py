"""The side of a chat that speaks to the server: follows the session, sends, waits for answers, stops them."""

import asyncio
from collections import defaultdict
from contextlib import aclosing
from typing import Protocol, Self, TypeVar
from uuid import UUID

from sojourn.client import (
    AnswerPart,
    AnswerReader,
    CaughtUp,
    Client,
    Conflict,
    Event,
    StreamItem,
    TurnClosed,
)

T = TypeVar("T")


class Screen(Protocol):
    """Where a chat is shown. Called from the thread of the event loop, and for notes from others too."""

    def event(self, event: Event) -> None:
        """An entry of the log, with large data filled in, before the parts of answers that it completes."""
        ...

    def part(self, part: AnswerPart) -> None: ...
    def note(self, text: str, fg: str | None = None, dim: bool = False) -> None:
        """A line about the chat itself, in one of the terminal's colours."""
        ...


class Talk:
    """One session, followed on one screen through any number of lost connections, until `leave`."""

    def __init__(self, client: Client, session: UUID, screen: Screen, after: int) -> None:
        """Starts to follow the session from the seq `after` on; needs a running loop."""
        self._client = client
        self._session = session
        self._screen = screen
        self._reader = AnswerReader()
        self._is_lost = False
        self._turns: dict[str, UUID] = {}
        loop = asyncio.get_running_loop()
        self._caught_up: asyncio.Future[None] = loop.create_future()
        # An answer may end before the request that asked for it returns, so either side may come first.
        self._closings: defaultdict[UUID, asyncio.Future[TurnClosed | None]] = defaultdict(loop.create_future)
        self._following = loop.create_task(self._follow(after))

    @classmethod
    async def begin(cls, client: Client, session: UUID, screen: Screen, after: int) -> Self:
        return cls(client, session, screen, after)

    async def leave(self) -> None:
        """Stop following the session, which goes on by itself."""
        self._following.cancel()
        await asyncio.wait({self._following})

    async def settle(self, turn: UUID | None) -> None:
        """Wait until the log so far has been shown and, if there is one, `turn` has closed."""
        await self._reach(self._caught_up)
        if turn is not None:
            await self._reach(self._closings[turn])

    async def say(self, text: str) -> TurnClosed | None:
        """Send a message and wait for the end of the turn that answers it; None if the message was withdrawn."""
        input = await self._client.send(self._session, text)
        return await self._reach(self._closings[input.turn])

    async def name(self, title: str) -> None:
        await self._client.update_session(self._session, title=title)

    async def stop_turn(self) -> None:
        """Cancel the turn that is open, if one is."""
        session = await self._client.get_session(self._session)
        if session.open_turn is None:
            return
        try:
            await self._client.cancel_turn(self._session, session.open_turn)
        except Conflict:
            # It closed by itself in the meantime, which is what was wanted.
            return

    async def _reach(self, goal: asyncio.Future[T]) -> T:
        """Wait for what the stream will bring, or raise what ended the stream: the session's deletion, say."""
        await asyncio.wait({goal, self._following}, return_when=asyncio.FIRST_COMPLETED)
        if not goal.done():
            self._following.result()
        return goal.result()

    async def _follow(self, after: int) -> None:
        stream = self._client.stream(self._session, after, on_loss=self._lose)
        async with aclosing(stream) as items:
            async for item in items:
                await self._take(item)

    def _lose(self, cause: str) -> None:
        del cause
        if not self._is_lost:
            self._is_lost = True
            self._screen.note("server gone, reconnecting…", fg="yellow")

    async def _take(self, item: StreamItem) -> None:
        whole = await self._client.fill_in(self._session, item) if isinstance(item, Event) else item
        if isinstance(whole, Event):
            self._screen.event(whole)
        for part in self._reader.read(whole):
            self._screen.part(part)
            if isinstance(part, TurnClosed):
                _meet(self._closings[part.turn], part)
        match whole:
            case CaughtUp():
                _meet(self._caught_up, None)
                if self._is_lost:
                    self._is_lost = False
                    self._screen.note("server back, nothing was lost", fg="green")
            case Event(type="input.received", data=data):
                self._turns[str(data["input"])] = UUID(str(data["turn"]))
            case Event(type="input.withdrawn", data=data) if str(data["input"]) in self._turns:
                _meet(self._closings[self._turns[str(data["input"])]], None)
            case _:
                pass


def _meet(goal: asyncio.Future[T], result: T) -> None:
    if not goal.done():
        goal.set_result(result)
