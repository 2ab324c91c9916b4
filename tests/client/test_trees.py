import asyncio
import json
from contextlib import aclosing, suppress

import pytest

from sojourn.client import Client, Event, NotFound, SubSessions, TurnClosed
from tests.cli.command import run
from tests.client.server import BOUND_SECONDS, ServerProcess


def starting(*messages: str) -> dict[str, object]:
    calls = [
        {"name": "run_session", "arguments": {"agent": "helper", "message": message, "title": "a part"}}
        for message in messages
    ]
    return {"call": calls}


async def test_a_tree_of_sessions_is_listed_added_up_and_drawn(client: Client, server: ServerProcess) -> None:
    limits = SubSessions(agents=("helper",), max_depth=2, max_children=3)
    helper = await client.create_agent(
        name="helper", model="sim/script", tools=["sessions"], sub_sessions=limits
    )
    assert helper.sub_sessions == limits
    changed = await client.update_agent(helper.id, sub_sessions=SubSessions(agents=("helper",)))
    assert changed.sub_sessions == SubSessions(agents=("helper",))
    top = await client.create_session(agent="helper", title="the whole")
    assert (top.parent, top.root, top.children) == (None, top.id, 0)
    inner = json.dumps([starting("deep"), {"say": "one"}])
    steps = json.dumps([starting(inner, "two"), {"say": "done"}])
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.ask(top.id, steps)) as parts:
        closed = [part async for part in parts][-1]
    assert isinstance(closed, TurnClosed)
    assert closed.status == "completed"
    below = [session async for session in client.list_sessions(parent=top.id)]
    second, first = sorted(below, key=lambda session: session.children)
    (deep,) = [session async for session in client.list_sessions(parent=first.id)]
    assert deep.parent is not None
    assert (deep.parent.session, deep.root, deep.origin) == (first.id, top.id, "agent")
    tree = await client.session_tree(top.id)
    shown = [(node.id, node.depth, node.parent) for node in tree.nodes]
    places = {(first.id, 1, top.id), (second.id, 1, top.id), (deep.id, 2, first.id)}
    assert shown[0] == (top.id, 0, None)
    assert set(shown[1:]) == places
    assert shown.index((deep.id, 2, first.id)) == shown.index((first.id, 1, top.id)) + 1
    sessions = [await client.get_session(node.id) for node in tree.nodes]
    assert tree.usage.input_tokens == sum(session.usage.input_tokens for session in sessions) > 0
    assert (tree.root, tree.whole) == (top.id, True)
    part = await client.session_tree(first.id, limit=1)
    assert ([node.depth for node in part.nodes], part.root, part.whole) == ([0], top.id, False)
    with pytest.raises(NotFound):
        await client.session_tree(helper.id)
    drawn = await run("sessions", "tree", str(top.id), "--data-dir", server.data_dir)
    lines = drawn.out.splitlines()
    assert f"● idle  {top.id}  helper  the whole" in lines[0]
    assert sorted(line[:4] for line in lines[1:4] if str(deep.id) not in line) == ["└── ", "├── "]
    (line,) = (line for line in lines if str(deep.id) in line)
    assert line.index("└── ") == 4
    assert lines[-1].startswith("4 sessions, ")
    as_json = await run("sessions", "tree", "last", "--limit", "2", "--json", "--data-dir", server.data_dir)
    assert set(as_json.objects[0]) == {"root", "nodes", "usage", "whole"}
    ids = await run("sessions", "show", str(deep.id), "--data-dir", server.data_dir)
    assert f"parent      {first.id}" in ids.out


async def test_a_tree_whose_server_is_killed_again_and_again_comes_to_its_end_once(
    client: Client, server: ServerProcess
) -> None:
    """At whatever moment: before a child is made, in its turn, and between its end and its parent's answer."""
    await client.create_agent(name="helper", model="sim/script", tools=["sessions"])
    top = await client.create_session(agent="helper")
    slow = json.dumps([{"sleep": 0.4}, {"say": "slow"}])
    inner = json.dumps([starting(slow, "echo"), {"say": "inner"}])
    await client.send(top.id, json.dumps([starting(inner, slow, slow), {"say": "done"}]))
    for pause in (0.0, 0.05, 0.2, 0.5):
        # What is being done then is not the same on any two machines, and need not be.
        with suppress(TimeoutError):
            async with asyncio.timeout(pause), aclosing(client.stream(top.id)) as events:
                async for _ in events:
                    pass
        await server.kill()
        await server.start()
    async with asyncio.timeout(BOUND_SECONDS), aclosing(client.stream(top.id)) as events:
        async for event in events:
            if isinstance(event, Event) and event.type == "turn.completed":
                break
    tree = await client.session_tree(top.id)
    assert (len(tree.nodes), {node.activity for node in tree.nodes}) == (6, {"idle"})
    log = (await client.events_page(top.id, limit=1000)).data
    results = [str(event.data["output"]) for event in log if event.type == "tool.completed"]
    assert sorted(results) == ["inner", "slow", "slow"]
    assert sum(event.type == "ask.decided" for event in log) == 3
