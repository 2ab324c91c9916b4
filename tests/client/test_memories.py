"""The memory of agents with the Python client: as its owner, and as the agent itself."""

import pytest

from sojourn.client import Client, Conflict, ContentMismatch, NotFound, OutsideTurn
from tests.client.server import ServerProcess
from tests.client.test_worker import log_until, new_turn, working


async def test_an_owner_keeps_reads_and_deletes_what_an_agent_remembers(client: Client) -> None:
    agent = (await client.create_agent(name="clerk", tools=["memory"])).id
    made = await client.put_memory(agent, "notes/a", "one", if_sha256="none")
    assert (made.path, made.size, made.written_by.kind) == ("notes/a", 3, "human")
    with pytest.raises(Conflict):
        await client.put_memory(agent, "notes/a", "two", if_sha256="none")
    await client.put_memory(agent, "notes/a", "two", if_sha256=made.sha256)
    with pytest.raises(ContentMismatch):
        await client.put_memory(agent, "notes/a", "three", if_sha256=made.sha256)
    assert (await client.get_memory(agent, "notes/a")).text == "two"
    await client.put_memory(agent, "b", "")
    assert [one.path async for one in client.list_memories(agent, page_size=1)] == ["b", "notes/a"]
    assert [one.path async for one in client.list_memories(agent, "notes")] == ["notes/a"]
    with pytest.raises(ContentMismatch):
        await client.delete_memory(agent, "notes/a", if_sha256=made.sha256)
    await client.delete_memory(agent, "notes/a")
    with pytest.raises(NotFound):
        await client.get_memory(agent, "notes/a")


async def test_a_function_that_is_an_agent_remembers(server: ServerProcess, client: Client) -> None:
    async def handle(turn: OutsideTurn) -> str:
        try:
            known = await turn.read_memory("names")
        except NotFound:
            await turn.write_memory("names", turn.text, if_sha256="none")
            return "noted"
        await turn.write_memory("names", f"{known.text}\n{turn.text}", if_sha256=known.sha256)
        with pytest.raises(ContentMismatch):
            await turn.write_memory("names", "late", if_sha256=known.sha256)
        found = await turn.search_memories(turn.text.upper())
        listed = await turn.list_memories()
        await turn.delete_memory("names")
        with pytest.raises(NotFound):
            await turn.delete_memory("names")
        return f"{known.text} and {found[0].text} in {listed[0].path}, line {found[0].line}"

    async with working(server, handle):
        first = await new_turn(client, "Ada")
        await log_until(client, first, "turn.completed")
        second = await new_turn(client, "Grace")
        events = await log_until(client, second, "turn.completed")
    types = [event.type for event in events if event.type.startswith("memory.")]
    assert types == ["memory.written", "memory.deleted"]
    [said] = [event.data["text"] for event in events if event.type == "message.completed"]
    assert said == "Ada and Grace in names, line 2"
