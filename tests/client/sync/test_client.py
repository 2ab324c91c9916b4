"""The synchronous client in threads of its own, against a real server."""

import asyncio
import json
from contextlib import closing
from uuid import UUID

import pytest

from sojourn.client.sync import Client, MessageEnded, NotFound, Overlay, TurnAsked, TurnClosed
from tests.client.server import BOUND_SECONDS, ServerProcess, wire_to


async def test_an_answer_is_read_and_an_ask_decided_through_a_server_that_is_killed_and_started_again(
    server: ServerProcess,
) -> None:
    loop = asyncio.get_running_loop()

    def restart_beside(client: Client, session: UUID, ask: UUID) -> None:
        asyncio.run_coroutine_threadsafe(server.kill(), loop).result(BOUND_SECONDS)
        started = asyncio.run_coroutine_threadsafe(server.start(), loop)
        # Nobody listens yet: the call is repeated until somebody does.
        assert client.decide_ask(session, ask, decision="allow").status == "decided"
        started.result(BOUND_SECONDS)

    def read() -> tuple[list[str], str]:
        with Client(server.url, server.key, give_up_after_seconds=BOUND_SECONDS) as client:
            overlay = Overlay(tools=["current_time"], tool_policy={"current_time": "ask"})
            session = client.create_session(overlay=overlay)
            text = json.dumps([{"call": {"name": "current_time"}}, {"say": "after all that"}])
            said: list[str] = []
            with closing(client.ask(session.id, text)) as parts:
                for part in parts:
                    if isinstance(part, TurnAsked):
                        restart_beside(client, session.id, part.ask)
                    elif isinstance(part, MessageEnded) and part.text:
                        said.append(part.text)
                    elif isinstance(part, TurnClosed):
                        return said, part.status
        raise AssertionError("an answer ends with its turn")

    async with asyncio.timeout(BOUND_SECONDS):
        assert await asyncio.to_thread(read) == (["after all that"], "completed")


async def test_a_call_whose_answers_are_cut_off_is_repeated_and_happens_once(server: ServerProcess) -> None:
    allowances = iter([10, 10])

    def create(url: str) -> None:
        with Client(url, server.key) as client:
            made = client.create_session(title="once")
            assert [session.id for session in client.list_sessions()] == [made.id]

    async with asyncio.timeout(BOUND_SECONDS), wire_to(server.url, lambda: next(allowances, None)) as wire:
        await asyncio.to_thread(create, wire.url)
        assert wire.cuts == 2


async def test_files_are_written_and_read_and_a_session_exported_and_imported(server: ServerProcess) -> None:
    def use() -> None:
        with Client(server.url, server.key) as client:
            session = client.create_session().id
            client.write_file(session, "notes/a.txt", b"hello")
            assert [file.path for file in client.list_files(session, recursive=True)] == [
                "notes",
                "notes/a.txt",
            ]
            chunks = list(client.export_session(session))
            copy = client.import_session(lambda: iter(chunks), new_id=True)
            assert copy.id != session
            assert client.read_file(copy.id, "notes/a.txt") == b"hello"
            client.delete_file(session, "notes/a.txt")
            with pytest.raises(NotFound):
                client.read_file(session, "notes/a.txt")

    async with asyncio.timeout(BOUND_SECONDS):
        await asyncio.to_thread(use)
