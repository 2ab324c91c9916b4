"""The memory of an agent: its clients and the turns of all its sessions share it, and its rules."""

import asyncio
from collections.abc import Mapping

import pytest

from sojourn.domain import memory
from sojourn.domain.agent import AgentSpec
from sojourn.domain.capability import Capability
from sojourn.domain.errors import (
    AlreadyExists,
    Conflict,
    ContentMismatch,
    InvalidRequest,
    NotFound,
    WrongState,
)
from sojourn.domain.ids import AgentId, OrgId, uuid7
from sojourn.domain.memory import NOTHING, Expected, Found, MemoryText
from sojourn.domain.memory_events import MemoryDeleted, MemoryWritten
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.sessions import NewSession
from tests.service.exported import export
from tests.service.test_forks import fork
from tests.service.test_imports import loaded
from tests.service.test_rewinds import fail, rewind
from tests.support.world import SOMEBODY, World


def sha_of(text: str) -> Expected:
    return Expected(MemoryText.of(text).sha256)


async def agent_with(world: World, capabilities: Mapping[str, Capability] | None = None) -> AgentId:
    given = {"memory": Capability(kind="memory")} if capabilities is None else capabilities
    spec = AgentSpec(name=str(uuid7()), capabilities=given)
    return (await world.services.agents.create(world.org, spec)).value.id


async def turn_of(world: World, agent: AgentId) -> ClaimedTurn:
    """A claimed turn of a new session of the agent."""
    session = await world.new_session(NewSession(agent=agent))
    await world.send(session)
    return await world.claim(session)


async def text_of(world: World, agent: AgentId, path: str) -> str:
    return (await world.services.memories.get(world.org, agent, path)).text


async def test_what_one_session_remembers_the_next_one_reads(world: World) -> None:
    agent, turns = await agent_with(world), world.services.turns
    first, second = await turn_of(world, agent), await turn_of(world, agent)
    await turns.write_memory(first, "/notes//a.md", "blue")
    found = await turns.read_memory(second, "notes/a.md")
    assert found is not None
    assert (found.text, found.entry.by.session, found.entry.by.turn) == ("blue", first.session, first.turn)
    assert [(one.path, one.size) for one in await turns.list_memories(second)] == [("notes/a.md", 4)]
    assert await turns.search_memories(second, "BLU") == [Found("notes/a.md", 1, "blue")]
    await world.services.sessions.delete(world.org, first.session, SOMEBODY)
    assert await text_of(world, agent, "notes/a.md") == "blue"
    stranger = await turn_of(world, await agent_with(world))
    assert await turns.list_memories(stranger) == []
    assert await world.problems() == []


async def test_the_log_tells_what_a_turn_remembered_by_its_digest_and_each_change_once(world: World) -> None:
    turn, turns = await turn_of(world, await agent_with(world)), world.services.turns
    for text in ("secret", "secret", "secrets"):
        await turns.write_memory(turn, "a", text)
    assert await turns.delete_memory(turn, "a")
    assert not await turns.delete_memory(turn, "a")
    old, new = (MemoryText.of(text).sha256 for text in ("secret", "secrets"))
    assert await world.said(turn.session, MemoryWritten) == [
        MemoryWritten(path="a", sha256=old, size=6),
        MemoryWritten(path="a", sha256=new, size=7),
    ]
    assert await world.said(turn.session, MemoryDeleted) == [MemoryDeleted(path="a", sha256=new)]
    stored = world.database.query("SELECT data FROM events")
    assert not any("secret" in data for (data,) in stored)
    assert await world.problems() == []


async def test_of_two_sessions_that_edit_the_same_text_one_is_told_that_it_changed(world: World) -> None:
    agent, turns = await agent_with(world), world.services.turns
    first, second = await turn_of(world, agent), await turn_of(world, agent)
    await turns.write_memory(first, "a", "read by both")
    read = sha_of("read by both")
    outcomes = await asyncio.gather(
        turns.write_memory(first, "a", "by the first", read),
        turns.write_memory(second, "a", "by the second", read),
        return_exceptions=True,
    )
    [lost] = [outcome for outcome in outcomes if outcome is not None]
    assert isinstance(lost, ContentMismatch)
    won = "by the first" if outcomes[0] is None else "by the second"
    assert await text_of(world, agent, "a") == won
    said = [*await world.said(first.session, MemoryWritten), *await world.said(second.session, MemoryWritten)]
    assert [one.sha256 for one in said[1:]] == [sha_of(won).sha256]
    assert await world.problems() == []


async def test_a_write_whose_answer_was_lost_finds_its_own_text_when_it_is_repeated(world: World) -> None:
    turn, turns = await turn_of(world, await agent_with(world)), world.services.turns
    for _ in range(2):
        await turns.write_memory(turn, "a", "one", NOTHING)
    for _ in range(2):
        await turns.write_memory(turn, "a", "two", sha_of("one"))
    assert len(await world.said(turn.session, MemoryWritten)) == 2
    with pytest.raises(AlreadyExists):
        await turns.write_memory(turn, "a", "one", NOTHING)
    with pytest.raises(ContentMismatch):
        await turns.write_memory(turn, "b", "one", sha_of("gone"))


@pytest.mark.parametrize(
    "capabilities",
    [{}, {"memory": Capability(kind="memory", config={"access": "read_only"})}],
    ids=["without", "read_only"],
)
async def test_a_turn_whose_agent_may_only_read_changes_nothing(
    world: World, capabilities: Mapping[str, Capability]
) -> None:
    agent, turns = await agent_with(world, capabilities), world.services.turns
    await world.services.memories.put(world.org, agent, "a", "by its owner", SOMEBODY)
    turn = await turn_of(world, agent)
    assert (await turns.read_memory(turn, "a")) is not None
    with pytest.raises(WrongState):
        await turns.write_memory(turn, "a", "by the turn")
    with pytest.raises(WrongState):
        await turns.delete_memory(turn, "a")
    assert await text_of(world, agent, "a") == "by its owner"
    assert "memory.written" not in await world.types(turn.session)


async def test_no_fork_rewind_or_import_of_a_session_changes_what_its_agent_remembers(world: World) -> None:
    agent, turns = await agent_with(world), world.services.turns
    turn = await turn_of(world, agent)
    await turns.write_memory(turn, "a", "remembered")
    await fail(world, turn)
    lines = await export(world, turn.session)
    child = (await fork(world, turn.session)).session.id
    await rewind(world, turn.session, 1)
    assert await text_of(world, agent, "a") == "remembered"
    await world.services.memories.delete(world.org, agent, "a")
    for copy in (child, await loaded(world, lines)):
        assert len(await world.said(copy, MemoryWritten)) == 1
    assert await world.services.memories.list(world.org, agent, "", "", 10) == []
    assert await world.problems() == []


async def test_nothing_lies_below_a_text_and_no_text_where_others_lie(world: World) -> None:
    agent, memories = await agent_with(world), world.services.memories
    await memories.put(world.org, agent, "a/b", "text", SOMEBODY)
    for path in ("a", "a/b/c", "a/b/c/d"):
        with pytest.raises(WrongState):
            await memories.put(world.org, agent, path, "text", SOMEBODY)
    await memories.delete(world.org, agent, "a/b")
    assert (await memories.put(world.org, agent, "a", "text", SOMEBODY)).created


@pytest.mark.parametrize("path", ["", "/", "a/../b", "a\nb", "\ud800", "é" * 513])
async def test_a_path_that_is_none_or_too_long_is_refused(world: World, path: str) -> None:
    agent = await agent_with(world)
    with pytest.raises(InvalidRequest, match="path"):
        await world.services.memories.put(world.org, agent, path, "text", SOMEBODY)


@pytest.mark.parametrize("text", ["é" * 50_001, "a\0b", "\udfff"])
async def test_a_text_that_is_too_long_or_no_text_is_refused(world: World, text: str) -> None:
    agent = await agent_with(world)
    with pytest.raises(InvalidRequest, match="text"):
        await world.services.memories.put(world.org, agent, "a", text, SOMEBODY)


async def test_an_agent_remembers_so_many_texts_and_bytes_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, memories = await agent_with(world), world.services.memories
    assert memory.MAX_MEMORIES_BYTES >= memory.MAX_MEMORY_BYTES
    monkeypatch.setattr("sojourn.service.shelves.MAX_MEMORIES", 2)
    monkeypatch.setattr("sojourn.service.shelves.MAX_MEMORIES_BYTES", 10)
    await memories.put(world.org, agent, "a", "12345", SOMEBODY)
    with pytest.raises(Conflict, match="10 bytes"):
        await memories.put(world.org, agent, "b", "123456", SOMEBODY)
    await memories.put(world.org, agent, "b", "12345", SOMEBODY)
    with pytest.raises(Conflict, match="2 texts"):
        await memories.put(world.org, agent, "c", "", SOMEBODY)
    await memories.put(world.org, agent, "a", "1", SOMEBODY)
    await memories.put(world.org, agent, "b", "123456789", SOMEBODY)


async def test_of_writers_that_fill_the_last_place_at_once_one_has_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, memories = await agent_with(world), world.services.memories
    monkeypatch.setattr("sojourn.service.shelves.MAX_MEMORIES", 1)
    puts = (memories.put(world.org, agent, f"m{number}", "text", SOMEBODY) for number in range(8))
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7
    assert len(await memories.list(world.org, agent, "", "", 10)) == 1


async def test_of_clients_that_make_a_directory_and_a_text_of_one_name_one_does(world: World) -> None:
    agent, memories = await agent_with(world), world.services.memories
    puts = (memories.put(world.org, agent, path, "text", SOMEBODY) for path in ("a", "a/b"))
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 1
    assert len(await memories.list(world.org, agent, "", "", 10)) == 1


async def test_the_memory_of_no_agent_is_not_found(world: World) -> None:
    memories, nobody = world.services.memories, AgentId(uuid7())
    known = await agent_with(world)
    for org, agent in ((world.org, nobody), (OrgId(uuid7()), known)):
        for call in (
            memories.list(org, agent, "", "", 10),
            memories.get(org, agent, "a"),
            memories.put(org, agent, "a", "text", SOMEBODY),
            memories.delete(org, agent, "a"),
        ):
            with pytest.raises(NotFound, match="agent"):
                await call
    with pytest.raises(NotFound, match="memory"):
        await memories.get(world.org, known, "a")
    with pytest.raises(NotFound, match="memory"):
        await memories.delete(world.org, known, "a")
