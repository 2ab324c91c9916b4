import asyncio
import json
from typing import Any

from sojourn.client import Client, ClientTool, Overlay
from tests.cli.command import PROGRAM, run, terminal
from tests.client.server import BOUND_SECONDS, ServerProcess, environment

HANGING = json.dumps([{"sleep": 600}, {"say": "never"}])
SLOW = json.dumps([{"sleep": 1}, {"say": "after all"}])


async def test_each_line_of_the_standard_input_is_answered_by_a_line(server: ServerProcess) -> None:
    talked = await run("chat", "--data-dir", server.data_dir, stdin="one\n\ntwo\n")
    assert (talked.status, talked.out, talked.err) == (0, "echo: one\necho: two\n", "")


async def test_taking_up_a_session_by_pipe_prints_the_new_answers_only(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    await run("chat", "-m", "first", *where)
    assert (await run("chat", "last", *where, stdin="second\n")).out == "echo: second\n"


async def test_a_failed_turn_ends_a_piped_chat_with_status_one(server: ServerProcess) -> None:
    text = json.dumps([{"error": "fatal"}, {"say": "never"}])
    talked = await run("chat", "--data-dir", server.data_dir, stdin=f"{text}\nnever said\n")
    assert (talked.status, talked.out) == (1, "")
    assert "the turn failed" in talked.err


async def test_a_chat_tells_what_a_turn_waits_for_and_goes_on_once_that_is_decided(
    server: ServerProcess,
) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session(overlay=Overlay(client_tools=[ClientTool(name="look")]))
        async with terminal("chat", str(session.id), "--data-dir", server.data_dir) as shown:
            await shown.until("> ")
            shown.type(
                json.dumps([{"call": {"name": "look", "arguments": {"at": 1}}}, {"say": "seen"}]) + "\r"
            )
            await shown.until('waiting for client_tool: look {"at":1}')
            (ask,) = [ask async for ask in client.list_asks(session.id)]
            await shown.until(str(ask.id))
            await client.decide_ask(session.id, ask.id, decision="answer", answer="a bird")
            await shown.until("look done: a bird", "seen", "tokens in", "> ")
            shown.type("\x04")
            assert await shown.ended() == 0


async def test_a_chat_goes_on_through_a_killed_server_with_nothing_lost_or_repeated(
    server: ServerProcess,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "chat", "--json", "--data-dir", str(server.data_dir)),
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"before\n{SLOW}\nafterwards\n".encode())
    process.stdin.close()
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(BOUND_SECONDS):
        while [event["type"] for event in events].count("model.called") < 2:
            events.append(json.loads(await process.stdout.readline()))
        await server.kill()
        await server.start()
        out, err = await process.communicate()
    events += [json.loads(line) for line in out.splitlines()]
    # The session was made before the chat began to follow it.
    assert [event["seq"] for event in events] == list(range(2, len(events) + 2))
    answers = [event["data"]["text"] for event in events if event["type"] == "message.completed"]
    assert answers == ["echo: before", "after all", "echo: afterwards"]
    assert "turn.reclaimed" in {event["type"] for event in events}
    assert err.decode().splitlines() == ["server gone, reconnecting…", "server back, nothing was lost"]
    assert process.returncode == 0


async def test_a_message_sent_while_the_server_is_away_is_sent_once_it_is_back(server: ServerProcess) -> None:
    async with terminal("chat", "--data-dir", server.data_dir) as shown:
        await shown.until("Ctrl-C stops an answer", "> ")
        await server.kill()
        await shown.until("server gone, reconnecting…", "> ")
        shown.type("patience\r")
        await server.start()
        await shown.until("server back, nothing was lost")
        await shown.until("echo: patience", "tokens in", "> ")
        assert shown.text.count("server gone") == 1
        shown.type("\x04")
        assert await shown.ended() == 0
        await shown.until("to go on: sojourn chat ")
    async with Client(server.url, server.key) as client:
        session = (await client.sessions_page()).data[0]
        assert (session.turns, session.title) == (1, "patience")


async def test_what_is_half_typed_stands_while_the_server_goes_and_comes(server: ServerProcess) -> None:
    async with terminal("chat", "--data-dir", server.data_dir) as shown:
        await shown.until("> ")
        shown.type("half a")
        await shown.until("> half a")
        await server.kill()
        await shown.until("server gone, reconnecting…", "> half a")
        await server.start()
        await shown.until("server back, nothing was lost", "> half a")
        shown.type(" line\r")
        await shown.until("echo: half a line")


async def test_ctrl_c_stops_the_answer_and_the_chat_goes_on(server: ServerProcess) -> None:
    async with terminal("chat", "--data-dir", server.data_dir) as shown:
        await shown.until("> ")
        shown.type(f"{HANGING}\r")
        await shown.until("…")
        await turn_runs(server)
        shown.type("\x03")
        await shown.until("stopping…", "the turn was cancelled: interrupted", "> ")
        shown.type("still there?\r")
        await shown.until("echo: still there?")
        shown.type("/quit\r")
        assert await shown.ended() == 0


async def test_ctrl_c_twice_leaves_and_the_turn_goes_on_if_the_server_is_away(server: ServerProcess) -> None:
    async with terminal("chat", "--data-dir", server.data_dir) as shown:
        await shown.until("> ")
        shown.type(f"{HANGING}\r")
        await turn_runs(server)
        await server.kill()
        await shown.until("server gone")
        shown.type("\x03")
        await shown.until("stopping…")
        shown.type("\x03")
        assert await shown.ended() == 130


async def test_ctrl_c_at_the_prompt_leaves_the_second_time(server: ServerProcess) -> None:
    async with terminal("chat", "--data-dir", server.data_dir) as shown:
        await shown.until("> ")
        shown.type("forget this")
        await shown.until("> forget this")
        await shown.interrupt("Ctrl-C again, or Ctrl-D, leaves")
        await shown.interrupt("to go on: sojourn chat ")
        assert await shown.ended() == 0


async def test_what_others_say_appears_above_the_prompt(server: ServerProcess) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session()
        async with terminal("chat", str(session.id), "--data-dir", server.data_dir) as shown:
            await shown.until("> ")
            shown.type("half a")
            await shown.until("> half a")
            await client.send(session.id, "from \x1b[31melsewhere")
            await shown.until("> from \ufffd[31melsewhere", "echo: from \ufffd[31melsewhere", "> half a")


async def test_a_session_that_is_taken_up_shows_what_was_said_before(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    await run("chat", "-m", "long ago", *where)
    async with terminal("chat", "last", *where) as shown:
        await shown.until("> long ago", "echo: long ago", "> ")


async def test_a_refused_message_is_told_and_the_chat_goes_on(server: ServerProcess) -> None:
    async with Client(server.url, server.key) as client:
        session = await client.create_session()
        async with terminal("chat", str(session.id), "--data-dir", server.data_dir) as shown:
            await shown.until("> ")
            await client.archive_session(session.id)
            shown.type("too late\r")
            await shown.until("archived cannot receive an input", "> ")
            await client.unarchive_session(session.id)
            shown.type("just in time\r")
            await shown.until("echo: just in time")


async def test_without_colours_nothing_but_text_is_written_to_the_terminal(server: ServerProcess) -> None:
    async with terminal("sessions", "--data-dir", server.data_dir, NO_COLOR="1") as shown:
        assert await shown.ended() == 0
        await shown.until("No sessions")
        assert "\x1b[3" not in shown.raw


async def turn_runs(server: ServerProcess) -> None:
    """Return once the newest session has a turn that calls its model."""
    async with Client(server.url, server.key) as client:
        session = (await client.sessions_page()).data[0]
        async for item in client.stream(session.id):
            if getattr(item, "type", None) == "model.called":
                return


async def test_a_chat_asks_its_user_before_a_tool_runs_and_takes_the_decision(server: ServerProcess) -> None:
    async with Client(server.url, server.key) as client:
        overlay = Overlay(tools=["files"], tool_policy={"write_file": "ask"})
        session = await client.create_session(overlay=overlay)
        async with terminal("chat", str(session.id), "--data-dir", server.data_dir) as shown:
            await shown.until("> ")
            shown.type(f"{writing('first.txt')}\r")
            await shown.until("approval: write_file", "allow? ")
            shown.type("perhaps\r")
            await shown.until("y allows it", "allow? ")
            shown.type("y\r")
            await shown.until("write_file done: Wrote 4 bytes to first.txt.", "said", "tokens in", "> ")
            shown.type(f"{writing('second.txt')}\r")
            await shown.until("second.txt", "allow? ")
            shown.type("n not that one\r")
            await shown.until("The call was denied: not that one", "tokens in", "> ")
            shown.type(f"{writing('third.txt')}\r")
            await shown.until("third.txt", "allow? ")
            shown.type('e {"path": "fourth.txt", "content": "other"}\r')
            await shown.until("Wrote 5 bytes to fourth.txt.", "tokens in", "> ")
            shown.type(f"{writing('fifth.txt')}\r")
            await shown.until("fifth.txt", "allow? ")
            shown.type("always\r")
            await shown.until("Wrote 4 bytes to fifth.txt.", "tokens in", "> ")
            shown.type(f"{writing('sixth.txt')}\r")
            await shown.until("Wrote 4 bytes to sixth.txt.", "tokens in", "> ")
            shown.type("\x04")
            assert await shown.ended() == 0


async def test_a_chat_that_is_taken_up_asks_what_is_still_open_and_leaves_it_open_if_asked_to(
    server: ServerProcess,
) -> None:
    question = {"name": "ask_user", "arguments": {"question": "Which one?", "options": ["red", "blue"]}}
    async with Client(server.url, server.key) as client:
        session = await client.create_session(overlay=Overlay(tools=["ask_user"]))
        await client.send(session.id, json.dumps([{"call": question}, {"say": "thanks"}]))
        async with terminal("chat", str(session.id), "--data-dir", server.data_dir) as shown:
            await shown.until("question: Which one?", "2. blue", "your answer")
            shown.type("\r")
            await shown.until("left open")
            shown.type("\x03")
            await shown.until("stopping…", "the turn was cancelled: interrupted", "> ")
        again = json.dumps([{"call": question}, {"say": "thanks"}])
        async with terminal("chat", str(session.id), "--data-dir", server.data_dir) as shown:
            await shown.until("> ")
            shown.type(f"{again}\r")
            await shown.until("question: Which one?", "your answer")
            await server.kill()
            await server.start()
            shown.type("2\r")
            await shown.until("ask_user done: blue", "thanks", "tokens in", "> ")


def writing(path: str) -> str:
    return json.dumps(
        [{"call": {"name": "write_file", "arguments": {"path": path, "content": "text"}}}, {"say": "said"}]
    )
