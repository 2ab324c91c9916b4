"""The loop with which a function is an agent: it claims turns, hands them over, keeps their leases and ends them."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Final
from uuid import UUID, uuid4

from sojourn.client.agent_types import RunnerKind
from sojourn.client.errors import LeaseLost, ServerUnreachable, SojournError, Unavailable
from sojourn.client.stream import no_listener
from sojourn.client.turn import Turn
from sojourn.client.worker_calls import WorkerCalls
from sojourn.client.worker_types import ClaimedTurn, StoppedTurn

log = logging.getLogger(__name__)

# What a handler returns is said, if it is a text.
Handler = Callable[[Turn], Awaitable[str | None]]

_WAIT_SECONDS: Final = 20.0
_RENEW_SECONDS: Final = 5.0
_AWAY_SECONDS: Final = 1.0


class Worker:
    """`await Worker(client, handler, pool="…").run()` works until it is cancelled.

    A turn that is stopped cancels its handler. A handler that raises fails its turn, and with a lost lease its work is
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
        self.name = name or f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._client = client
        self._handler = handler
        self._pool = pool
        self._agents = agents
        self._runners: Sequence[RunnerKind] = ("external",)
        self._room = asyncio.Semaphore(capacity)
        self._running: dict[str, tuple[ClaimedTurn, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Work until cancelled, then give back what is still at work."""
        beside = [asyncio.create_task(self._renew()), asyncio.create_task(self._listen())]
        try:
            while True:
                await self._room.acquire()
                claimed = await self._claim()
                task = asyncio.create_task(self._run(claimed))
                self._running[claimed.claim] = (claimed, task)
                task.add_done_callback(lambda _, name=claimed.claim: self._ended(name))
        finally:
            for task in beside:
                task.cancel()
            await self._give_back()

    def _ended(self, name: str) -> None:
        del self._running[name]
        self._room.release()

    async def _claim(self) -> ClaimedTurn:
        while True:
            try:
                claimed = await self._client.claim_turn(
                    self.name, self._runners, self._pool, agents=self._agents, wait_seconds=_WAIT_SECONDS
                )
            except (ServerUnreachable, Unavailable, LeaseLost) as error:
                log.warning("no turn could be claimed: %s", error)
                await asyncio.sleep(_AWAY_SECONDS)
                continue
            if claimed is not None:
                return claimed

    async def _run(self, claimed: ClaimedTurn) -> None:
        turn = Turn(self._client, claimed)
        try:
            if claimed.attempt > 1:
                await turn.recover()
            await self._handle(turn)
        except LeaseLost as error:
            log.info("turn %s goes no further here: %s", claimed.turn, error)
        except SojournError as error:
            # Its lease lapses, and the turn is claimed again.
            log.warning("turn %s could not be ended: %s", claimed.turn, error)

    async def _handle(self, turn: Turn) -> None:
        try:
            text = await self._handler(turn)
            if text:
                await turn.say(text)
        except SojournError:
            raise
        except Exception as error:
            log.exception("turn %s failed", turn.claimed.turn)
            await turn.settle(error=str(error) or type(error).__name__)
        else:
            await turn.settle()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            if not self._running:
                continue
            try:
                for name in await self._client.renew_claims(self.name, list(self._running)):
                    self._stop(name)
            except SojournError as error:
                log.warning("leases could not be renewed; trying again: %s", error)

    async def _listen(self) -> None:
        """Renewals tell of stopped turns too, some seconds later."""
        signals = self._client.signals(self.name, self._runners, self._pool, no_listener)
        async with aclosing(signals) as items:
            async for item in items:
                if isinstance(item, StoppedTurn):
                    for name, (claimed, _) in list(self._running.items()):
                        if claimed.session == item.session and item.turn in (None, claimed.turn):
                            self._stop(name)

    def _stop(self, name: str) -> None:
        running = self._running.get(name)
        if running is not None:
            running[1].cancel()

    async def _give_back(self) -> None:
        """Stop every handler first, then give up the claims: another worker may start at once."""
        running = list(self._running.values())
        for _, task in running:
            task.cancel()
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        for claimed, _ in running:
            try:
                await self._client.release_claim(claimed.claim)
            except SojournError as error:
                log.info("turn %s was not given back: %s", claimed.turn, error)
