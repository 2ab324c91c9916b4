"""Agents that are apps of the vendor's own library, run as processes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from uuid import UUID

import pytest

from sojourn.client import Client, Event
from sojourn.domain.actor import Actor
from sojourn.domain.ids import DEFAULT_ORG
from tests.client.server import ServerProcess, free_port
from tests.runners.http.process import AppProcess
from tests.runners.http.sessions import (
    ended,
    is_end,
    is_shown,
    more,
    new_agent,
    new_session,
    previewed,
    read_to,
    said,
    say,
    types,
    until,
    watch,
)
from tests.web.served import Served, open_served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path, private_agents=True) as served:
        yield served


async def test_a_json_answer_becomes_one_message_behind_its_announcement(
    served: Served, process: AppProcess
) -> None:
    agent = await new_agent(served, process.url, payload={"tenant": "acme"})
    session = await say(served, agent, "hello")
    items = await ended(served, session)
    invoked = await process.told("invoked")
    assert invoked["payload"] == {"prompt": "hello", "tenant": "acme"}
    assert invoked["session"] == str(session)
    assert types(items)[-6:] == [
        "turn.started",
        "input.delivered",
        "model.called",
        "message.completed",
        "model.completed",
        "turn.completed",
    ]
    assert said(items, "message.completed")[0]["text"] == "you said: hello"
    assert said(items, "model.called")[0]["model"] == f"http/{agent}"
    usage = said(items, "model.completed")[0]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (3, 5)


async def test_a_prompt_that_is_a_json_object_is_the_whole_payload(
    served: Served, process: AppProcess
) -> None:
    session = await say(served, await new_agent(served, process.url), '{"question": 7}')
    await ended(served, session)
    assert (await process.told("invoked"))["payload"] == {"question": 7}


async def test_a_stream_is_shown_as_it_comes_and_kept_as_one_message(
    served: Served, process: AppProcess
) -> None:
    session = await new_session(served, await new_agent(served, process.url))
    async with aclosing(await watch(served, session)) as feed:
        await more(served, session, "stream one, two, three")
        items = await read_to(feed, is_end)
    assert [each["text"] for each in said(items, "message.completed")] == ["one two three"]
    assert previewed(items) == "one two three"


async def test_an_error_of_the_app_fails_the_turn_with_its_words(served: Served, process: AppProcess) -> None:
    session = await say(served, await new_agent(served, process.url), "fail")
    items = await ended(served, session)
    assert said(items, "turn.failed") == [{"reason": "error", "error": "The app answered 500: no such thing"}]
    assert types(items)[-2:] == ["message.abandoned", "turn.failed"]


async def test_an_error_within_a_stream_fails_the_turn_and_voids_what_was_shown(
    served: Served, process: AppProcess
) -> None:
    session = await say(served, await new_agent(served, process.url), "stream one,crash")
    items = await ended(served, session)
    assert said(items, "turn.failed")[0]["error"] == "the app crashed"
    assert types(items)[-2:] == ["message.abandoned", "turn.failed"]


async def test_an_interrupt_keeps_the_text_so_far(served: Served, process: AppProcess) -> None:
    session = await new_session(served, await new_agent(served, process.url))
    async with aclosing(await watch(served, session)) as feed:
        await more(served, session, "drip")
        await process.told("invoked")
        await read_to(feed, is_shown)
        assert (await served.services.turns.interrupt(DEFAULT_ORG, session, Actor("human"))).value
        items = await read_to(feed, is_end)
    assert set(said(items, "message.completed")[0]["text"]) == {"."}
    assert said(items, "message.completed")[0]["interrupted"]
    assert types(items)[-1] == "turn.cancelled"


async def test_a_turn_waits_for_an_app_that_is_still_starting(served: Served, process: AppProcess) -> None:
    await process.kill()
    session = await say(served, await new_agent(served, process.url), "hello")
    await until(served, session, "turn.started")
    assert (await served.client.get(f"sessions/{session}")).json()["activity"] == "starting"
    await process.start()
    assert types(await ended(served, session))[-1] == "turn.completed"


@pytest.mark.parametrize("idempotent", [False, True])
async def test_an_invocation_that_was_lost_with_its_worker_is_repeated_only_if_the_agent_says_so(
    process: AppProcess, tmp_path: Path, idempotent: bool
) -> None:
    settings = {"SOJOURN_PRIVATE_AGENTS": "true"}
    async with (
        ServerProcess(tmp_path / "data", **settings) as server,
        Client(server.url, server.key) as client,
    ):
        config = {"url": process.url, "idempotent": idempotent}
        agent = await client.create_agent(name="app", runner="http", runner_config=config)
        session = await client.create_session(agent=agent.name)
        await client.send(session.id, "drip")
        first = await process.told("invoked")
        await server.kill()
        await server.start()
        if idempotent:
            again = await process.told("invoked")
            assert again["request"] == first["request"]
            assert again["session"] == first["session"] == str(session.id)
        else:
            failed = await first_of(client, session.id, "turn.failed")
            assert "worker was lost" in str(failed.data["error"])


async def first_of(client: Client, session: UUID, type: str) -> Event:
    async with aclosing(client.stream(session)) as items:
        async for item in items:
            if isinstance(item, Event) and item.type == type:
                return item
    raise AssertionError("a stream does not end")


async def test_an_app_that_never_answers_fails_the_turn_when_its_start_is_over(served: Served) -> None:
    agent = await new_agent(served, f"http://127.0.0.1:{free_port()}", start_seconds=0.2)
    items = await ended(served, await say(served, agent, "hello"))
    assert "could not be reached within 0.2 s" in said(items, "turn.failed")[0]["error"]
    assert "model.called" not in types(items)
