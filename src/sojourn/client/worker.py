"""The loop with which a function is an agent: it claims turns, hands them over, keeps their leases and ends them."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final
from uuid import UUID

from sojourn.client.turn import Turn
from sojourn.client.worker_calls import WorkerCalls
from sojourn.client.worker_steps import Handler, WorkerSteps

_RENEW_SECONDS: Final = 5.0
# How long the next turn of a session waits for a handler that was stopped, and has not ended.
_STOP_SECONDS: Final = 5.0


class Worker:
    """`await Worker(client, handler, pool="…").run()` works until it is cancelled.

    A turn that is stopped cancels its handler, and the session's next turn begins when that has ended, or five seconds
    later. A handler that raises fails its turn, and with a lost lease its work is
    dropped: the turn is somebody else's.
    """

    def __init__(
        self,
        client: WorkerCalls,
        handler: Handler,
        *,
        pool: str = "default",
        agents: Sequence[UUID] = (),
        capacity: int = 10,
        name: str | None = None,
    ) -> None:
        self._steps = WorkerSteps(client, handler, pool, agents, name)
        self.name = self._steps.name
        self._room = asyncio.Semaphore(capacity)
        self._running: dict[str, tuple[Turn, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Work until cancelled, then give back what is still at work."""
        beside = [asyncio.create_task(self._renew()), asyncio.create_task(self._listen())]
        try:
            while True:
                await self._room.acquire()
                while (turn := await self._steps.claim()) is None:
                    pass
                task = asyncio.create_task(self._work(turn, self._before(turn)))
                self._running[turn.claimed.claim] = (turn, task)
                task.add_done_callback(lambda _, name=turn.claimed.claim: self._ended(name))
        finally:
            for task in beside:
                task.cancel()
            await self._give_back()

    def _before(self, turn: Turn) -> list[asyncio.Task[None]]:
        """What still runs of the session's turns before that one."""
        return [
            task for other, task in self._running.values() if other.claimed.session == turn.claimed.session
        ]

    async def _work(self, turn: Turn, before: Sequence[asyncio.Task[None]]) -> None:
        if before:
            # A stopped handler may still be putting things away. The lease is renewed meanwhile.
            await asyncio.wait(before, timeout=_STOP_SECONDS)
        await self._steps.work(turn)

    def _ended(self, name: str) -> None:
        del self._running[name]
        self._room.release()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            for name in await self._steps.renew(list(self._running)):
                self._stop(name)

    async def _listen(self) -> None:
        async with aclosing(self._steps.stops()) as stops:
            async for stop in stops:
                for name, (turn, _) in list(self._running.items()):
                    if turn.is_meant_by(stop):
                        self._stop(name)

    def _stop(self, name: str) -> None:
        running = self._running.get(name)
        if running is not None and not running[0].stopped:
            # Told by a signal, and again by a renewal: a second cancellation would cut short how the handler ends.
            turn, task = running
            turn.stopped = True
            task.cancel()

    async def _give_back(self) -> None:
        """Stop every handler first, then give up the claims."""
        running = list(self._running.values())
        for turn, _ in running:
            self._stop(turn.claimed.claim)
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        for turn, _ in running:
            await self._steps.release(turn)
