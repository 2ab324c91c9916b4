"""A worker that is the test itself: it hears of turns as a worker of the process does, and runs them step by step."""

import asyncio
from contextlib import aclosing

from sojourn.domain import events as e
from sojourn.domain.ask import NewAsk
from sojourn.domain.content import Usage
from sojourn.domain.ids import AskId, SessionId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.ports.turns import ClaimedTurn, Ready
from tests.support.world import World
from tests.web.served import BOUND_SECONDS


class Hands:
    def __init__(self, world: World) -> None:
        self._world = world
        self._ready: asyncio.Queue[Ready] = asyncio.Queue()
        world.services.hub.connect_worker(self._ready.put_nowait, lambda _ready, _turn: False)

    async def claim(self) -> ClaimedTurn:
        async with asyncio.timeout(BOUND_SECONDS):
            return await self._world.claim((await self._ready.get()).session)

    async def until_received(self, session: SessionId, count: int) -> None:
        """Return once so many inputs of the session are in its log."""
        feed = await self._world.services.feed.follow(self._world.org, session, 0)
        async with asyncio.timeout(BOUND_SECONDS), aclosing(feed):
            async for item in feed:
                count -= isinstance(item, StoredEvent) and item.type == e.InputReceived.type
                if not count:
                    return

    async def calling(self, turn: ClaimedTurn) -> e.ModelCalled:
        """The model call that is open."""
        call = (await self._world.conversation(turn.session)).progress.open_call
        assert call is not None
        return call

    async def preview(self, turn: ClaimedTurn, offset: int, text: str) -> None:
        self._world.services.turns.preview(turn, (await self.calling(turn)).message, offset, text)

    async def say(self, turn: ClaimedTurn, text: str, *, then: tuple[e.RunnerEvent, ...] = ()) -> None:
        """The model's answer, and what follows it."""
        await self._world.services.turns.append(turn, [*await self._said(turn, text), *then])

    async def finish(self, turn: ClaimedTurn, text: str) -> None:
        await self._world.services.turns.settle(turn, await self._said(turn, text))

    async def _said(self, turn: ClaimedTurn, text: str) -> list[e.RunnerEvent]:
        call = await self.calling(turn)
        return [
            e.MessageCompleted(message=call.message, call=call.call, text=text),
            e.ModelCompleted(call=call.call, model="m", provider="p", usage=Usage(), finish_reason="stop"),
        ]

    async def park(self, turn: ClaimedTurn) -> AskId:
        """Wait for a decision, which time takes after ten seconds."""
        ask = NewAsk(id=AskId(uuid7()), kind="approval", prompt={"text": "May I?"}, timeout_seconds=10.0)
        await self._world.services.turns.wait(turn, [], [ask], "parked")
        return ask.id
