import json
from uuid import UUID

from sojourn.client import Client, ClientTool, Overlay, Session
from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_what_is_open_is_listed_for_every_session_and_decided_by_its_session(
    server: ServerProcess,
) -> None:
    where = ("--data-dir", server.data_dir)
    async with Client(server.url, server.key) as client:
        overlay = Overlay(tools=["files", "ask_user"], tool_policy={"write_file": "ask"})
        wants_write = await waiting(client, overlay, "write_file", path="a.txt", content="text")
        wants_word = await waiting(client, overlay, "ask_user", question="Which one?")
        listed = await run("asks", *where)
        assert listed.status == 0
        assert str(wants_write.id) in listed.out
        assert "question: Which one?" in listed.out
        assert (await run("asks", "ls", str(wants_word.id), "--json", *where)).objects[0][
            "kind"
        ] == "question"

        refused = await run("asks", "allow", str(wants_word.id), *where)
        assert (refused.status, refused.out) == (1, "")
        answered = await run("asks", "answer", str(wants_word.id), "the red one", *where)
        assert answered.out == "decided answer: question: Which one?\n"
        assert await ended(client, wants_word.id) == ["the red one"]

        path = '{"path": "b.txt", "content": "other"}'
        allowed = await run("asks", "allow", str(wants_write.id), "--arguments", path, "--always", *where)
        assert allowed.status == 0
        assert await ended(client, wants_write.id) == ["Wrote 5 bytes to b.txt."]
        overlaid = (await client.get_session(wants_write.id)).overlay
        assert overlaid is not None
        assert overlaid.tool_policy["write_file"] == "allow"
        assert (await run("asks", *where)).err == "Nothing waits for a decision.\n"


async def test_of_several_open_asks_one_has_to_be_named(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    async with Client(server.url, server.key) as client:
        overlay = Overlay(client_tools=[ClientTool(name="look")])
        session = await client.create_session(overlay=overlay)
        calls = [{"name": "look", "arguments": {"at": at}} for at in range(2)]
        await client.send(session.id, json.dumps([{"call": calls}, {"say": "seen"}]))
        asks = await open_asks(client, session.id)
        unclear = await run("asks", "deny", "last", *where)
        assert unclear.status == 1
        assert "waits for 2 decisions" in unclear.err
        assert f"--ask {asks[0]}" in unclear.err
        for ask in asks:
            denied = await run("asks", "deny", "last", "--ask", str(ask), "--reason", "dark", *where)
            assert denied.status == 0
        assert await ended(client, session.id) == ["dark", "dark"]
        none_left = await run("asks", "deny", "last", *where)
        assert "waits for no decision" in none_left.err


async def waiting(client: Client, overlay: Overlay, tool: str, **arguments: str) -> Session:
    """A session whose turn waits for that call."""
    session = await client.create_session(overlay=overlay)
    call = {"name": tool, "arguments": arguments}
    await client.send(session.id, json.dumps([{"call": call}, {"say": "said"}]))
    await open_asks(client, session.id)
    return session


async def open_asks(client: Client, session: UUID) -> list[UUID]:
    """What the session's turn waits for, once it waits."""
    async for item in client.stream(session):
        if getattr(item, "type", None) == "turn.waiting":
            break
    return [ask.id async for ask in client.list_asks(session)]


async def ended(client: Client, session: UUID) -> list[str]:
    """What the tools of the session have answered, once its turn is over."""
    outputs: list[str] = []
    async for item in client.stream(session):
        match getattr(item, "type", None):
            case "tool.completed":
                outputs.append(str(getattr(item, "data", {})["output"]))
            case "turn.completed":
                return outputs
            case _:
                pass
    raise AssertionError("the stream ended before the turn")
