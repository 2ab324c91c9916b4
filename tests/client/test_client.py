import asyncio
import json
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from sojourn.client import (
    Client,
    ClientTool,
    Conflict,
    Event,
    InputWithdrawn,
    InvalidRequest,
    MessageEnded,
    NotFound,
    Overlay,
    RevisionMismatch,
    ServerUnreachable,
    TextAdded,
    TurnAsked,
    TurnClosed,
    Unauthenticated,
)
from sojourn.client.agent_types import Policy
from sojourn.client.types import Json
from tests.client.server import BOUND_SECONDS, ServerProcess, free_port, wire_to


def script(*steps: dict[str, object]) -> str:
    return json.dumps(steps)


async def nth(client: Client, session: UUID, type: str, count: int) -> Event:
    """The `count`-th event of a type, once the log has it."""
    async with aclosing(client.stream(session)) as items:
        async for item in items:
            if isinstance(item, Event) and item.type == type:
                count -= 1
                if count == 0:
                    return item
    raise AssertionError("a stream does not end")


async def cancel_open_turn(client: Client, session: UUID) -> None:
    started = await nth(client, session, "turn.started", 1)
    assert started.turn is not None
    await client.cancel_turn(session, started.turn)


async def withdraw_second_input(client: Client, session: UUID) -> None:
    received = await nth(client, session, "input.received", 2)
    await client.withdraw_input(session, UUID(str(received.data["input"])))


async def closed_turn(client: Client, text: str) -> TurnClosed:
    return await closed_turn_of(client, (await client.create_session()).id, text)


async def closed_turn_of(client: Client, session: UUID, text: str) -> TurnClosed:
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session, text)) as parts:
        last = [part async for part in parts][-1]
    assert isinstance(last, TurnClosed)
    return last


async def test_a_client_carries_out_the_tools_that_a_turn_waits_for(client: Client) -> None:
    look = ClientTool(name="look", description="Looks.", parameters={"type": "object"})
    session = await client.create_session(overlay=Overlay(client_tools=[look]))
    assert session.overlay == Overlay(client_tools=[look])
    calls: list[dict[str, object]] = [
        {"name": "look", "arguments": {"at": at}} for at in ("sky", "sea", "land")
    ]
    asked: list[TurnAsked] = []
    text = script({"call": calls}, {"say": "all blue"})
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session.id, text)) as parts:
        async for part in parts:
            if isinstance(part, TurnAsked):
                asked.append(part)
                if len(asked) == len(calls):
                    await decide_all(client, session.id)
    assert [part.prompt["arguments"] for part in asked] == [call["arguments"] for call in calls]
    page = await client.events_page(session.id, types=["tool.completed"])
    assert [(event.data["status"], event.data["output"]) for event in page.data] == [
        ("done", '{"colour": "blue"}'),
        ("error", "too dark"),
        ("cancelled", ""),
    ]
    assert [ask.status async for ask in client.list_asks(session.id)] == []


async def test_a_tool_that_was_allowed_for_good_is_asked_about_no_more(client: Client) -> None:
    overlay = Overlay(tools=["current_time"], tool_policy={"current_time": "ask"})
    session = await client.create_session(overlay=overlay)
    call: dict[str, object] = {"call": {"name": "current_time"}}
    asked = 0
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session.id, script(call, call))) as parts:
        async for part in parts:
            if isinstance(part, TurnAsked):
                asked += 1
                await client.decide_ask(session.id, part.ask, decision="allow", always=True)
    assert asked == 1
    changed = await client.get_session(session.id)
    assert changed.overlay == Overlay(tools=["current_time"], tool_policy={"current_time": "allow"})


async def decide_all(client: Client, session: UUID) -> None:
    """By its id, by its call, and by a denial."""
    first, second, third = [ask async for ask in client.list_asks(session)]
    assert await client.get_ask(session, first.id) == first
    answer: Json = {"colour": "blue"}
    assert (await client.decide_ask(session, first.id, decision="answer", answer=answer)).status == "decided"
    with pytest.raises(Conflict):
        await client.decide_ask(session, first.id, decision="deny")
    with pytest.raises(NotFound):
        await client.decide_asks(session, [{"tool_call_id": "sim-9", "decision": "deny"}])
    decided = await client.decide_asks(
        session,
        [
            {"tool_call_id": "sim-1-2", "decision": "answer", "error": "too dark"},
            {"tool_call_id": "sim-1-3", "decision": "deny"},
        ],
    )
    assert [ask.id for ask in decided] == [second.id, third.id]


async def test_an_agent_is_made_read_listed_and_changed(client: Client) -> None:
    made = await client.create_agent(
        name="poet", instructions="Rhyme.", policy=Policy(max_turn_seconds=60.0), metadata={"team": "words"}
    )
    changed = await client.update_agent(made.id, if_version=made.version, instructions="Do not rhyme.")
    assert (changed.version, changed.instructions) == (made.version + 1, "Do not rhyme.")
    assert (await client.get_agent(made.id, made.version)).instructions == "Rhyme."
    assert (await client.get_agent(made.id)).policy.max_turn_seconds == 60.0
    assert "poet" in {agent.name async for agent in client.list_agents(page_size=1)}
    with pytest.raises(RevisionMismatch):
        await client.update_agent(made.id, if_version=made.version, name="bard")
    with pytest.raises(Conflict):
        await client.create_agent(name="poet")


async def test_a_session_is_made_changed_ended_archived_and_deleted(client: Client) -> None:
    made = await client.create_session(agent="default", title="First", tags=["a"], metadata={"n": 1})
    assert made.created
    changed = await client.update_session(made.id, if_revision=made.revision, title=None, tags=["a", "b"])
    assert (changed.title, changed.tags, changed.metadata) == (None, ["a", "b"], {"n": 1})
    with pytest.raises(RevisionMismatch):
        await client.update_session(made.id, if_revision=made.revision, title="Second")
    ended = await client.end_session(made.id, "failed", "enough")
    assert (ended.status, ended.end_reason) == ("failed", "enough")
    with pytest.raises(Conflict):
        await client.end_session(made.id)
    assert (await client.archive_session(made.id)).archived_at is not None
    with pytest.raises(Conflict):
        await client.send(made.id, "Too late.")
    assert (await client.unarchive_session(made.id)).archived_at is None
    await client.delete_session(made.id)
    with pytest.raises(NotFound):
        await client.get_session(made.id)


async def test_a_fork_goes_on_by_itself_from_an_event_of_its_parent(client: Client) -> None:
    parent = await client.create_session(title="First", tags=["a"])
    await closed_turn_of(client, parent.id, "one")
    head = (await client.get_session(parent.id)).last_seq
    child = await client.fork_session(parent.id, at=head, title="Second", external_id="fork-7")
    assert (child.forked_from, child.forked_seq, child.last_seq) == (parent.id, head, head + 1)
    assert (child.title, child.tags, child.created) == ("Second", ["a"], True)
    assert not (await client.fork_session(parent.id, external_id="fork-7")).created
    await closed_turn_of(client, child.id, "two")
    parents, own = [
        [(event.seq, event.type) for event in (await client.events_page(id)).data]
        for id in (parent.id, child.id)
    ]
    assert own[:head] == parents
    assert own[head] == (head + 1, "session.forked")
    assert [found.id async for found in client.list_sessions(forked_from=parent.id)] == [child.id]
    with pytest.raises(InvalidRequest):
        await client.fork_session(parent.id, at=head + 1)


async def test_an_external_id_creates_once_and_then_gets(client: Client) -> None:
    first = await client.create_session(external_id="order-7")
    second = await client.create_session(external_id="order-7")
    assert (second.id, second.created) == (first.id, False)


async def test_the_same_idempotency_key_creates_one_session(client: Client) -> None:
    first = await client.create_session(idempotency_key="once")
    second = await client.create_session(idempotency_key="once")
    assert first.id == second.id
    assert len([session async for session in client.list_sessions()]) == 1


async def test_a_list_is_read_through_all_of_its_pages_in_order(client: Client) -> None:
    made = [await client.create_session(tags=["even"] if n % 2 == 0 else []) for n in range(7)]
    everything = [session.id async for session in client.list_sessions(page_size=2, order="asc")]
    even = [session.id async for session in client.list_sessions(page_size=3, order="asc", tags=["even"])]
    assert everything == [session.id for session in made]
    assert even == [session.id for session in made[::2]]


async def test_a_filter_finds_what_fits_all_of_it(client: Client) -> None:
    made = await client.create_session(metadata={"team": "red"}, external_id="x-1")
    await client.create_session(metadata={"team": "blue"})
    ended = await client.create_session(metadata={"team": "red"})
    await client.end_session(ended.id)
    page = await client.sessions_page(
        status=["open"], activity=["idle", "busy"], metadata={"team": "red"}, agent="default"
    )
    assert [session.id for session in page.data] == [made.id]
    assert page.next_cursor is None
    by_name = await client.sessions_page(external_id="x-1", created_before=made.created_at)
    assert [session.id for session in by_name.data] == []


async def test_an_answer_is_read_as_it_is_written(client: Client) -> None:
    session = await client.create_session()
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session.id, "Hello, world")) as answer:
        parts = [part async for part in answer]
    assert "".join(part.text for part in parts if isinstance(part, TextAdded)) == "echo: Hello, world"
    assert [part.text for part in parts if isinstance(part, MessageEnded)] == ["echo: Hello, world"]
    assert isinstance(parts[-1], TurnClosed)
    assert parts[-1].status == "completed"
    turns = [turn async for turn in client.list_turns(session.id)]
    assert [(turn.id, turn.status) for turn in turns] == [(parts[-1].turn, "completed")]
    assert (await client.get_turn(session.id, turns[0].id)).ended_at is not None


async def test_an_answer_that_is_too_large_for_the_log_is_read_whole(client: Client) -> None:
    text = "long words " * 8_000
    session = await client.create_session()
    async with (
        asyncio.timeout(BOUND_SECONDS),
        aclosing(client.ask(session.id, script({"say": text}))) as parts,
    ):
        messages = [part.text async for part in parts if isinstance(part, MessageEnded)]
    assert messages == [text]


async def test_a_failed_turn_closes_the_answer_with_its_error(client: Client) -> None:
    closed = await closed_turn(client, script({"error": "fatal"}, {"say": "never"}))
    assert (closed.status, closed.reason) == ("failed", "error")
    assert closed.error


async def test_a_cancelled_turn_closes_the_answer(client: Client) -> None:
    session = await client.create_session()
    asking = client.ask(session.id, script({"sleep": 600}, {"say": "never"}))
    async with asyncio.timeout(BOUND_SECONDS), aclosing(asking) as parts, asyncio.TaskGroup() as tasks:
        tasks.create_task(cancel_open_turn(client, session.id))
        closed = [part async for part in parts][-1]
    assert isinstance(closed, TurnClosed)
    assert closed.status == "cancelled"


async def test_inputs_wait_in_line_and_can_be_edited_and_withdrawn(client: Client) -> None:
    session = await client.create_session()
    await client.send(session.id, script({"sleep": 600}, {"say": "never"}))
    second, third = [await client.send(session.id, text) for text in ("second", "third")]
    edited = await client.edit_input(session.id, second.id, "changed", if_revision=second.revision)
    assert (edited.content[0].text, edited.revision) == ("changed", second.revision + 1)
    with pytest.raises(RevisionMismatch):
        await client.edit_input(session.id, second.id, "again", if_revision=second.revision)
    moved = await client.move_input(session.id, third.id, second.id, if_revision=third.revision)
    assert moved.revision == third.revision + 1
    fourth = await client.send(session.id, "fourth", source="schedule")
    waiting = [input.id async for input in client.list_queue(session.id, page_size=1)]
    assert waiting[-3:] == [third.id, second.id, fourth.id]
    with pytest.raises(RevisionMismatch):
        await client.withdraw_input(session.id, third.id, if_revision=third.revision)
    await client.withdraw_input(session.id, third.id)
    assert (await client.get_input(session.id, third.id)).status == "withdrawn"
    queued = [input.id async for input in client.list_inputs(session.id, "queued", page_size=1)]
    assert second.id in queued
    assert third.id not in queued


async def test_the_answer_to_a_withdrawn_message_is_not_waited_for(client: Client) -> None:
    session = await client.create_session()
    await client.send(session.id, script({"sleep": 600}, {"say": "never"}))
    async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as tasks:
        tasks.create_task(withdraw_second_input(client, session.id))
        with pytest.raises(InputWithdrawn):
            async with aclosing(client.ask(session.id, "second")) as parts:
                assert [part async for part in parts] == []


async def test_a_presence_is_held_renewed_and_released(client: Client) -> None:
    session = await client.create_session()
    assert (await client.hold_presence(session.id, "laptop")).acquired
    assert not (await client.hold_presence(session.id, "laptop")).acquired
    assert (await client.get_session(session.id)).presences == 1
    await client.release_presence(session.id, "laptop")
    assert (await client.get_session(session.id)).presences == 0


async def test_a_page_of_the_log_starts_behind_its_seq_and_keeps_to_its_types(client: Client) -> None:
    session = await client.create_session()
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(session.id, "Hello")) as parts:
        assert [part async for part in parts]
    first = await client.events_page(session.id, limit=3)
    assert [event.seq for event in first.data] == [1, 2, 3]
    assert first.next_cursor == "3"
    rest = await client.events_page(session.id, after=3, types=["message.completed", "turn.completed"])
    assert [event.type for event in rest.data] == ["message.completed", "turn.completed"]
    assert rest.data[0].data["text"] == "echo: Hello"


async def test_a_refusal_says_what_and_which_field(client: Client) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await client.create_session(agent="nobody")
    assert (refused.value.status, refused.value.code, refused.value.field) == (
        422,
        "invalid_request",
        "agent",
    )
    assert refused.value.request_id
    with pytest.raises(NotFound) as missing:
        await client.get_session(uuid4())
    assert (missing.value.status, missing.value.code) == (404, "not_found")


async def test_a_wrong_key_is_unauthenticated_on_calls_and_streams(
    server: ServerProcess, client: Client
) -> None:
    session = await client.create_session()
    async with Client(server.url, "wrong") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger.me()
        with pytest.raises(Unauthenticated):
            await anext(stranger.stream(session.id))
    assert (await client.me()).role == "admin"


async def test_a_server_that_is_not_there_is_given_up_after_the_time_allowed() -> None:
    async with Client(f"http://127.0.0.1:{free_port()}", "key", give_up_after_seconds=0.2) as client:
        with pytest.raises(ServerUnreachable):
            await client.me()
        with pytest.raises(ServerUnreachable):
            await anext(client.stream(uuid4(), give_up_after_seconds=0.2))


async def test_a_call_outlives_a_restart_of_the_server(server: ServerProcess, client: Client) -> None:
    await client.create_session(title="before")
    await server.kill()
    async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as tasks:
        creating = tasks.create_task(client.create_session(title="while it is away"))
        tasks.create_task(server.start())
    assert [session.title async for session in client.list_sessions(order="asc")] == [
        "before",
        "while it is away",
    ]
    assert creating.result().created


async def test_creating_through_a_wire_that_breaks_in_the_answer_creates_once(server: ServerProcess) -> None:
    """The first tries are carried out, but their answers are cut: the repeats must not create again."""
    allowances = iter([1, 40, 200])
    async with (
        wire_to(server.url, lambda: next(allowances, None)) as wire,
        Client(wire.url, server.key) as client,
    ):
        made = await client.create_session(title="once")
        assert wire.cuts == 3
        assert [session.id async for session in client.list_sessions()] == [made.id]


async def test_a_session_is_extended_and_opened_again(client: Client) -> None:
    session = await client.create_session(policy=Policy(max_lifetime_seconds=60, reopen=3600))
    assert (session.expires_by, session.policy.reopen) == ("lifetime", 3600)
    extended = await client.extend_session(session.id, 600)
    assert session.expires_at is not None
    assert extended.expires_at is not None
    assert extended.expires_at > session.expires_at
    far = datetime(2222, 2, 2, tzinfo=UTC)
    assert (await client.extend_session_to(session.id, far)).expires_at == far
    await client.end_session(session.id)
    assert (await client.reopen_session(session.id)).status == "open"
    with pytest.raises(Conflict):
        await client.reopen_session(session.id)


async def test_an_organisations_policy_is_changed_by_its_revision(client: Client) -> None:
    org = await client.get_org()
    changed = await client.update_org(if_revision=org.revision, policy=Policy(max_turn_seconds=60))
    assert (changed.name, changed.policy) == (org.name, Policy(max_turn_seconds=60))
    with pytest.raises(RevisionMismatch):
        await client.update_org(if_revision=org.revision, name="other")
