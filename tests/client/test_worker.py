"""The loop with which a function is an agent, against a real server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from sojourn.client import Client, Event, Handler, OutsideTurn, Worker
from tests.client.server import BOUND_SECONDS, ServerProcess


async def new_turn(client: Client, text: str = "hello") -> UUID:
    found = [agent async for agent in client.list_agents(search="foreign")]
    agent = found[0] if found else await client.create_agent(name="foreign", runner="external")
    session = await client.create_session(agent=agent.id)
    await client.send(session.id, text)
    return session.id


@asynccontextmanager
async def working(server: ServerProcess, handler: Handler) -> AsyncGenerator[asyncio.Task[None]]:
    async with Client(server.url, server.key) as client:
        task = asyncio.create_task(Worker(client, handler).run())
        try:
            yield task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def log_until(client: Client, session: UUID, type: str) -> list[Event]:
    events: list[Event] = []
    async with asyncio.timeout(BOUND_SECONDS):
        async for item in client.stream(session):
            if isinstance(item, Event):
                events.append(item)
                if item.type == type:
                    return events
    raise AssertionError(events)


async def test_a_function_that_asks_waits_for_the_answer(server: ServerProcess, client: Client) -> None:
    async def handle(turn: OutsideTurn) -> str:
        decision = await turn.ask({"question": "Which?"})
        return f"{decision.answer} it is"

    async with working(server, handle):
        session = await new_turn(client)
        opened = (await log_until(client, session, "ask.opened"))[-1]
        await client.decide_ask(session, UUID(str(opened.data["ask"])), decision="answer", answer="This")
        events = await log_until(client, session, "turn.completed")
    assert [event.data["text"] for event in events if event.type == "message.completed"] == ["This it is"]


async def test_a_function_that_fails_fails_its_turn_and_closes_what_it_began(
    server: ServerProcess, client: Client
) -> None:
    async def handle(turn: OutsideTurn) -> None:
        async with turn.tool("divide", {}) as tool:
            tool.output = str(1 / 0)

    async with working(server, handle):
        events = await log_until(client, await new_turn(client), "turn.failed")
    assert events[-1].data["error"] == "division by zero"
    (result,) = [event.data for event in events if event.type == "tool.completed"]
    assert (result["status"], result["output"]) == ("error", "division by zero")


async def test_a_stopped_turn_cancels_its_function(server: ServerProcess, client: Client) -> None:
    stopped = asyncio.Event()

    async def handle(turn: OutsideTurn) -> None:
        try:
            async with turn.message() as message:
                await message.write("for ever")
                await asyncio.Event().wait()
        finally:
            stopped.set()

    async with working(server, handle):
        session = await new_turn(client)
        called = (await log_until(client, session, "model.called"))[-1]
        assert called.turn is not None
        await client.cancel_turn(session, called.turn)
        async with asyncio.timeout(BOUND_SECONDS):
            await stopped.wait()


async def test_the_next_turn_of_a_session_begins_when_the_stopped_function_has_ended(
    server: ServerProcess, client: Client
) -> None:
    steps: list[str] = []
    may_end = asyncio.Event()

    async def handle(turn: OutsideTurn) -> str:
        steps.append(f"begin {turn.text}")
        if turn.text == "first":
            try:
                await turn.say("for ever")
                await asyncio.Event().wait()
            finally:
                await may_end.wait()
                steps.append("end first")
        elif turn.text == "of another session":
            # It was claimed behind the second turn, which would have begun by now.
            may_end.set()
        return "done"

    async with working(server, handle):
        session = await new_turn(client, "first")
        started = (await log_until(client, session, "model.called"))[-1]
        assert started.turn is not None
        await client.send(session, "second")
        await client.cancel_turn(session, started.turn)
        await started_twice(client, session)
        await new_turn(client, "of another session")
        await log_until(client, session, "turn.completed")
    assert steps == ["begin first", "begin of another session", "end first", "begin second"]


async def started_twice(client: Client, session: UUID) -> None:
    started = 0
    async with asyncio.timeout(BOUND_SECONDS):
        async for item in client.stream(session):
            started += isinstance(item, Event) and item.type == "turn.started"
            if started == 2:
                return


async def test_what_a_lost_worker_began_is_closed_before_the_next_one_begins_anew(
    server: ServerProcess, client: Client
) -> None:
    async def begin(turn: OutsideTurn) -> None:
        async with turn.tool("look", {}):
            await asyncio.Event().wait()

    async def end(turn: OutsideTurn) -> str:
        async with turn.tool("look", {}) as tool:
            tool.output = "seen"
        return "done"

    session = await new_turn(client)
    async with working(server, begin):
        await log_until(client, session, "tool.started")
    async with working(server, end):
        events = await log_until(client, session, "turn.completed")
    results = [event.data["status"] for event in events if event.type == "tool.completed"]
    assert results == ["unknown", "done"]
    assert [event.type for event in events].count("turn.reclaimed") == 1
