"""What agents remember, by path."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from sojourn.domain.actor import Actor
from sojourn.domain.agent import Agent, AgentSpec
from sojourn.domain.ids import AgentId, KeyId, OrgId, TurnId, uuid7
from sojourn.domain.memory import MAX_MEMORY_PATH_BYTES, Memory, MemoryEntry, MemoryText, Writer
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, at, insert_org, session_id

ALL = 10_000


def a_memory(path: str, text: str = "text", **changes: Any) -> Memory:
    content = MemoryText.of(text)
    entry = MemoryEntry(
        path=path,
        sha256=content.sha256,
        size=content.size,
        created_at=at(1),
        updated_at=at(1),
        by=Writer(actor=Actor("human")),
    )
    return Memory(entry=replace(entry, **changes), text=text)


@pytest.fixture
async def agent(store: Store) -> AgentId:
    await insert_org(store)
    return await new_agent(store)


async def new_agent(store: Store) -> AgentId:
    id = AgentId(uuid7())
    made = Agent(id=id, version=1, spec=AgentSpec(name=str(id)), created_at=at(0), updated_at=at(0))
    assert await store.write(lambda tx: tx.insert_agent(ORG, made))
    return id


async def keep(store: Store, agent: AgentId, *memories: Memory) -> None:
    for memory in memories:
        await store.write(lambda tx, memory=memory: tx.write_memory(ORG, agent, memory))


async def paths(
    store: Store, agent: AgentId, below: str = "", after: str = "", limit: int = ALL
) -> list[str]:
    listed = [one.path for one in await store.reads.list_memories(ORG, agent, below, after, limit)]
    assert [path for path, _ in await store.reads.read_memories(ORG, agent, below, after, limit)] == listed
    return listed


async def test_a_memory_reads_back_as_it_was_written(store: Store, agent: AgentId) -> None:
    by = Writer(actor=Actor("agent", KeyId(uuid7())), session=session_id(), turn=TurnId(uuid7()))
    whole = a_memory("b/ä 🜁%_.md", "ünd\r\n\u2028", by=by, updated_at=at(4.000001))
    await keep(store, agent, whole, a_memory("a"))
    assert await store.reads.get_memory(ORG, agent, "b/ä 🜁%_.md") == whole
    assert await store.reads.list_memories(ORG, agent, "", "", ALL) == [a_memory("a").entry, whole.entry]
    assert await store.reads.read_memories(ORG, agent, "b", "", ALL) == [(whole.entry.path, whole.text)]
    assert await store.reads.weigh_memories(ORG, agent) == (2, whole.entry.size + 4)
    assert await store.reads.get_memory(ORG, agent, "A") is None


async def test_a_memory_is_its_own_agents_and_organisations(store: Store, agent: AgentId) -> None:
    other, stranger = await new_agent(store), OrgId(uuid7())
    await keep(store, agent, a_memory("a", "mine"))
    await keep(store, other, a_memory("a", "its"))
    for org, of, found in ((ORG, agent, "mine"), (ORG, other, "its"), (stranger, agent, None)):
        memory = await store.reads.get_memory(org, of, "a")
        assert (memory and memory.text) == found
    assert await store.reads.list_memories(stranger, agent, "", "", ALL) == []
    assert await store.reads.weigh_memories(stranger, agent) == (0, 0)
    await store.write(lambda tx: tx.delete_memory(stranger, agent, "a"))
    await store.write(lambda tx: tx.delete_memory(ORG, other, "a"))
    assert (await paths(store, agent), await paths(store, other)) == (["a"], [])


async def test_a_memory_that_is_written_again_keeps_when_it_was_made(store: Store, agent: AgentId) -> None:
    again = a_memory("a", "another", created_at=at(9), updated_at=at(9))
    await keep(store, agent, a_memory("a"), again)
    found = await store.reads.get_memory(ORG, agent, "a")
    assert found == replace(again, entry=replace(again.entry, created_at=at(1)))


async def test_memories_are_listed_by_code_points_below_a_directory_and_in_pages(
    store: Store, agent: AgentId
) -> None:
    last = "\U0010ffff" * (MAX_MEMORY_PATH_BYTES // 4)
    names = ["a%/x", "a-b", "a.b/x", "a/A", "a/b/c", "a/Ä", "a/ä", "a0", "ab", "B", last]
    await keep(store, agent, *(a_memory(name) for name in names))
    assert await paths(store, agent) == sorted(names)
    assert await paths(store, agent, "a") == ["a/A", "a/b/c", "a/Ä", "a/ä"]
    assert await paths(store, agent, "a", "a/A", 2) == ["a/b/c", "a/Ä"]
    assert await paths(store, agent, "a", "zzz") == []
    assert await paths(store, agent, after="ab") == [last]


async def test_what_a_path_lies_below_is_found_however_far_above(store: Store, agent: AgentId) -> None:
    await keep(store, agent, a_memory("a/%"), a_memory("x"))
    for path, above in {"a/%/c/d": "a/%", "a/%": None, "a/b/c": None, "x/y": "x", "xy": None}.items():
        assert await store.reads.memory_above(ORG, agent, path) == above


async def test_of_many_who_lock_a_memory_at_once_one_finds_it_empty(store: Store, agent: AgentId) -> None:
    async def find_or_make(number: int) -> bool:
        async def verb(tx: Tx) -> bool:
            await tx.lock_memories(ORG, agent)
            if (await tx.weigh_memories(ORG, agent))[0]:
                return False
            await tx.write_memory(ORG, agent, a_memory(f"m{number}"))
            return True

        return await store.write(verb)

    made = await asyncio.gather(*(find_or_make(number) for number in range(20)))
    assert made.count(True) == 1
