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
    TurnAsked,
    TurnClosed,
)
from sojourn.client.ask_types import Decided

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
        # What is open and nobody was told of, in the order in which it was asked.
        self._asked: dict[UUID, TurnAsked] = {}
        self._next_ask: asyncio.Future[None] = loop.create_future()
        self._following = loop.create_task(self._follow(after))

    @classmethod
    async def begin(cls, client: Client, session: UUID, screen: Screen, after: int) -> Self:
        return cls(client, session, screen, after)

    async def leave(self) -> None:
        """Stop following the session, which goes on by itself."""
        self._following.cancel()
        await asyncio.wait({self._following})

    async def catch_up(self) -> None:
        """Wait until the log so far has been shown, and what it still asks is known."""
        await self._reach(self._caught_up)
        async for ask in self._client.list_asks(self._session):
            # What was asked before the part of the log that is shown.
            if ask.id not in self._asked:
                asked = TurnAsked(ask.turn, ask.id, ask.kind, ask.prompt)
                self._asked[ask.id] = asked
                self._screen.part(asked)

    async def say(self, text: str) -> TurnClosed | None:
        """Send a message and wait for the end of the turn that answers it; None if the message was withdrawn."""
        return await self.end_of(await self.send(text))

    async def send(self, text: str) -> UUID:
        """Send a message; the turn that answers it."""
        return (await self._client.send(self._session, text)).turn

    async def end_of(self, turn: UUID) -> TurnClosed | None:
        """Wait for the end of a turn; None if its message was withdrawn."""
        return await self._reach(self._closings[turn])

    async def next_of(self, turn: UUID) -> TurnAsked | TurnClosed | None:
        """As `end_of`, or before that a question that the turn waits for, each of them once."""
        closing = self._closings[turn]
        while not closing.done():
            for asked in self._asked.values():
                if asked.turn == turn:
                    return self._asked.pop(asked.ask)
            await asyncio.wait(
                {closing, self._next_ask, self._following}, return_when=asyncio.FIRST_COMPLETED
            )
            if self._following.done() and not closing.done():
                self._following.result()
        return closing.result()

    async def decide(self, ask: UUID, decided: Decided) -> bool:
        """False if it is not open any more: somebody else has decided it, or its turn has ended."""
        try:
            await self._client.decide_ask(self._session, ask, **decided)
        except Conflict:
            return False
        return True

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
            self._show(part)
        match whole:
            case CaughtUp():
                _meet(self._caught_up, None)
                if self._is_lost:
                    self._is_lost = False
                    self._screen.note("server back, nothing was lost", fg="green")
            case Event(type="ask.decided", data=data):
                self._asked.pop(UUID(str(data["ask"])), None)
            case Event(type="input.received", data=data):
                self._turns[str(data["input"])] = UUID(str(data["turn"]))
            case Event(type="input.withdrawn", data=data) if str(data["input"]) in self._turns:
                _meet(self._closings[self._turns[str(data["input"])]], None)
            case _:
                pass

    def _show(self, part: AnswerPart) -> None:
        match part:
            case TurnClosed(turn=turn):
                self._screen.part(part)
                _meet(self._closings[turn], part)
            # One that is known already was asked while the list of what is open was read.
            case TurnAsked(ask=ask) if ask not in self._asked:
                self._screen.part(part)
                self._asked[ask] = part
                _meet(self._next_ask, None)
                self._next_ask = asyncio.get_running_loop().create_future()
            case TurnAsked():
                pass
            case _:
                self._screen.part(part)


def _meet(goal: asyncio.Future[T], result: T) -> None:
    if not goal.done():
        goal.set_result(result)
