"""`sojourn worker`: a process with a key and no database runs the turns of a server elsewhere."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from sojourn.client import Client, Event, StreamItem
from sojourn.client.model_types import CallSettings, NewProvider, Prices
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.client.worker import WorkerProcess
from tests.runners.model import chat
from tests.runners.model.loopback import loopback_provider

SECRET = "sk-very-secret"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess]:
    """It runs no turn itself."""
    private = {"SOJOURN_PRIVATE_AGENTS": "true"}
    async with ServerProcess(tmp_path / "data", SOJOURN_WORKER_CAPACITY="0", **private) as server:
        yield server


CLOCK: dict[str, object] = {"name": "current_time", "arguments": {}}


async def worker_key(client: Client) -> str:
    made = await client.create_key("worker", "worker", runners=["model"])
    assert made.token is not None
    return made.token


async def seen(items: AsyncGenerator[StreamItem, None], type: str, number: int = 1) -> list[str]:
    """The types of the events up to the `number`-th of one type."""
    types: list[str] = []
    async with asyncio.timeout(BOUND_SECONDS):
        async for item in items:
            if isinstance(item, Event):
                types.append(item.type)
                if types.count(type) == number:
                    return types
    raise AssertionError(types)


async def ask(client: Client, steps: list[object]) -> UUID:
    session = await client.create_session()
    await client.send(session.id, json.dumps(steps))
    return session.id


async def test_a_worker_elsewhere_runs_models_tools_and_files(server: ServerProcess, client: Client) -> None:
    write = {"name": "write_file", "arguments": {"path": "a.txt", "content": "hello"}}
    async with WorkerProcess(server, await worker_key(client)) as worker:
        session = await ask(client, [{"call": write}, {"say": "written and done"}])
        async with aclosing(client.stream(session)) as items:
            types = await seen(items, "turn.completed")
        assert types.count("model.completed") == 2
        assert types.count("tool.completed") == types.count("file.written") == 1
        assert await client.read_file(session, "a.txt") == b"hello"
        (turn,) = [turn async for turn in client.list_turns(session)]
        assert turn.worker is not None
        assert turn.worker.startswith(f"{worker.name}@")


async def test_a_model_on_a_worker_elsewhere_has_the_memory_of_its_agent(
    server: ServerProcess, client: Client
) -> None:
    agent = (await client.create_agent(name="clerk", tools=["memory", "files"])).id
    await client.put_memory(agent, "a", "kept")
    calls: list[tuple[str, dict[str, object]]] = [
        ("memory_view", {"path": "/memories"}),
        ("memory_create", {"path": "b", "file_text": "one\n"}),
        ("memory_create", {"path": "b", "file_text": "two\n"}),
        ("memory_insert", {"path": "b", "insert_line": 1, "insert_text": "two"}),
        ("memory_create", {"path": "c", "file_text": "x" * 100_001}),
        ("memory_create", {"path": "b/c", "file_text": "x"}),
        ("memory_search", {"query": "TWO"}),
        ("memory_delete", {"path": "a"}),
        ("memory_delete", {"path": "a"}),
        ("write_file", {"path": "d/e", "content": "x"}),
        ("write_file", {"path": "d", "content": "x"}),
    ]
    async with WorkerProcess(server, await worker_key(client)):
        session = await client.create_session(agent=agent)
        steps = [{"call": {"name": name, "arguments": arguments}} for name, arguments in calls]
        await client.send(session.id, json.dumps([*steps, {"say": "done"}]))
        async with aclosing(client.stream(session.id)) as items:
            await seen(items, "turn.completed")
    log = (await client.events_page(session.id, limit=1000)).data
    told = [event.data["output"] for event in log if event.type == "tool.completed"]
    assert str(told[0]).startswith("/memories/a (4 bytes, ")
    assert told[1:] == [
        "Created /memories/b.",
        "There is a memory at /memories/b already: view it, and edit or delete it.",
        "Edited /memories/b.",
        "text: must not be larger than 100000 bytes",
        "A path that is a memory cannot hold others.",
        "/memories/b:2: two",
        "Deleted /memories/a.",
        "There is no memory at /memories/a.",
        "Wrote 1 bytes to d/e.",
        "A path that is a directory cannot be written as a file.",
    ]
    kept = await client.get_memory(agent, "b")
    assert (kept.text, kept.written_by.session) == ("one\ntwo\n", session.id)


async def test_a_turn_goes_on_where_it_was_when_its_server_is_killed_and_started_again(
    server: ServerProcess, client: Client
) -> None:
    async with WorkerProcess(server, await worker_key(client)):
        session = await ask(client, [{"call": CLOCK}, {"sleep": 1.5}, {"say": "still here"}])
        async with aclosing(client.stream(session)) as items:
            await seen(items, "model.called", 2)
            await server.kill()
            await server.start()
            await seen(items, "turn.completed")
        types = [event.type for event in (await client.events_page(session)).data]
        # One claim, each call once: nothing was begun anew, and nothing is there twice.
        assert types.count("turn.started") == types.count("turn.completed") == 1
        assert types.count("model.called") == types.count("model.completed") == 2
        assert types.count("tool.completed") == 1


async def test_a_worker_is_told_to_stop_and_one_that_stops_leaves_its_turns_to_others(
    server: ServerProcess, client: Client
) -> None:
    key = await worker_key(client)
    async with WorkerProcess(server, key) as first:
        cancelled = await ask(client, [{"sleep": 600}, {"say": "never"}])
        async with aclosing(client.stream(cancelled)) as items:
            await seen(items, "model.called")
            turn = (await client.get_session(cancelled)).open_turn
            assert turn is not None
            await client.cancel_turn(cancelled, turn)
            await client.send(cancelled, json.dumps([{"say": "next"}]))
            # The stopped step would take ten minutes.
            await seen(items, "turn.completed")
        session = await ask(client, [{"sleep": 1}, {"say": "done"}])
        async with aclosing(client.stream(session)) as items:
            await seen(items, "model.called")
            assert await first.stop() == 0
            await seen(items, "turn.reclaimed")
            async with WorkerProcess(server, key):
                await seen(items, "turn.completed")


async def test_a_worker_elsewhere_asks_a_stored_model_with_a_secret_that_its_key_was_given(
    server: ServerProcess, client: Client
) -> None:
    await client.put_secret("acme", SECRET)
    given = await client.create_key("given", "worker", secrets=["acme"])
    bare = await client.create_key("bare", "worker")
    assert given.token is not None
    assert bare.token is not None
    private = {"SOJOURN_PRIVATE_AGENTS": "true"}
    async with loopback_provider(chat.answer("from ", "elsewhere")) as provider:
        base_url = f"{provider.base_url}/v1"
        stored: NewProvider = {"kind": "openai-compatible", "base_url": base_url, "api_key": "secret://acme"}
        await client.put_provider("acme", **stored)
        prices = Prices(input_usd=Decimal(2), output_usd=Decimal(10))
        settings = CallSettings(temperature=0.25)
        await client.put_model("fast", provider="acme", model="large", settings=settings, prices=prices)
        agent = await client.create_agent(name="stored", model="fast")
        refused = await client.create_session(agent=agent.id)
        async with WorkerProcess(server, bare.token, **private), aclosing(client.stream(refused.id)) as items:
            await client.send(refused.id, "hello")
            await seen(items, "turn.failed")
        log = (await client.events_page(refused.id)).data
        assert "is not given secret://acme" in str(log[-1].data["error"])
        assert not provider.seen
        answered = await client.create_session(agent=agent.id)
        async with (
            WorkerProcess(server, given.token, **private),
            aclosing(client.stream(answered.id)) as items,
        ):
            await client.send(answered.id, "hello")
            await seen(items, "turn.completed")
    (asked,) = provider.seen
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert (asked.body["model"], asked.body["temperature"]) == ("large", 0.25)
    log = repr((await client.events_page(answered.id)).data)
    assert "from elsewhere" in log
    assert SECRET not in log
    assert (await client.get_session(answered.id)).usage.cost_usd


async def test_a_key_of_another_role_is_told_what_it_lacks(server: ServerProcess, client: Client) -> None:
    made = await client.create_key("reader", "reporter")
    assert made.token is not None
    with pytest.raises(AssertionError, match="ended before it worked"):
        async with WorkerProcess(server, made.token):
            pass
