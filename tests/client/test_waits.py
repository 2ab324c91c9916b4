import json
from pathlib import Path

from sojourn.client import Client, Event, Overlay
from tests.client.server import ServerProcess

RESTARTS = 20


async def test_a_turn_that_waits_for_an_approval_survives_twenty_restarts(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path / "data") as server, Client(server.url, server.key) as client:
        overlay = Overlay(tools=["files"], tool_policy={"write_file": "ask"})
        session = (await client.create_session(overlay=overlay)).id
        call = {"name": "write_file", "arguments": {"path": "a.txt", "content": "text"}}
        turn = (await client.send(session, json.dumps([{"call": call}, {"say": "written"}]))).turn
        async for item in client.stream(session):
            if isinstance(item, Event) and item.type == "turn.waiting":
                break
        (ask,) = [ask async for ask in client.list_asks(session)]
        before = await client.get_session(session)
        for restart in range(RESTARTS):
            await (server.kill() if restart % 2 else server.stop())
            await server.start()
        # Not an event, not a claim: what waits costs nothing.
        assert await client.get_session(session) == before
        assert (await client.get_turn(session, turn)).attempt == 1
        assert [ask async for ask in client.list_asks(session)] == [ask]

        await client.decide_ask(session, ask.id, decision="allow")
        types: list[str] = []
        async for item in client.stream(session):
            if isinstance(item, Event):
                types.append(item.type)
                if item.type == "turn.completed":
                    break
        assert types.count("tool.started") == types.count("tool.completed") == 1
        assert types.count("ask.decided") == 1
        assert types.count("model.called") == 2
