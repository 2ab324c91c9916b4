"""The loop in threads, against a real server."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sojourn.client import Client
from sojourn.client.sync import Client as SyncClient
from sojourn.client.sync import Handler, LeaseLost, OutsideTurn, Worker
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.client.test_worker import log_until, new_turn


@asynccontextmanager
async def working(server: ServerProcess, handler: Handler) -> AsyncGenerator[None]:
    """With room for one turn the loop waits for that one, and not for the server, when it is stopped."""
    with SyncClient(server.url, server.key) as client:
        worker = Worker(client, handler, capacity=1)
        run = asyncio.create_task(asyncio.to_thread(worker.run))
        try:
            yield
        finally:
            worker.stop()
            async with asyncio.timeout(BOUND_SECONDS):
                await run


async def test_a_stopped_turn_is_told_to_its_function_and_a_worker_gives_back_what_it_leaves(
    server: ServerProcess, client: Client
) -> None:
    told: list[str] = []

    def handle(turn: OutsideTurn) -> None:
        tick = threading.Event()
        try:
            with turn.message() as message:
                message.write("for ever")
                while True:
                    tick.wait(0.02)
                    turn.check()
        except LeaseLost as error:
            told.append(str(error))
            raise

    async with working(server, handle):
        cancelled = await new_turn(client)
        called = (await log_until(client, cancelled, "model.called"))[-1]
        assert called.turn is not None
        await client.cancel_turn(cancelled, called.turn)
        left = await new_turn(client)
        # There is room for it only once the stopped function has ended.
        await log_until(client, left, "model.called")
        assert told == ["The turn was stopped."]
    assert len(told) == 2
    async with working(server, lambda turn: f"You said {turn.text}."):
        events = await log_until(client, left, "turn.completed")
        types = [event.type for event in events]
        assert (types.count("turn.reclaimed"), types.count("message.abandoned")) == (1, 1)
        assert events[-1].data["reason"] == "end_turn"
        # One more turn ends the wait for one, which would hold `stop` up.
        await new_turn(client)


async def test_a_function_that_fails_in_its_thread_fails_its_turn(
    server: ServerProcess, client: Client
) -> None:
    def handle(turn: OutsideTurn) -> None:
        with turn.tool("divide", {}) as tool:
            tool.output = str(1 / 0)

    session = await new_turn(client)
    async with working(server, handle):
        events = await log_until(client, session, "turn.failed")
        assert events[-1].data["error"] == "division by zero"
        # As above.
        await new_turn(client)
