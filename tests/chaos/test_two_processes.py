"""Two processes over one Postgres: what becomes of a turn whose worker sleeps, stops or dies."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from tests.chaos.client import Caller, Reader, Witness
from tests.chaos.gate import Gate
from tests.chaos.outside import effects
from tests.chaos.plan import Defect, Plan
from tests.chaos.process import BOUND_SECONDS, Server
from tests.chaos.server import KEY, OUTSIDE_FILE
from tests.chaos.tools import GATE_VARIABLE
from tests.support.databases import PostgresDatabase
from tests.support.invariants import check_postgres
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

GATE_THEN_LINE = json.dumps(
    [
        {"call": {"name": "gate", "arguments": {"key": "gate"}}},
        {"call": {"name": "append_line", "arguments": {"key": "line"}}},
        {"say": "done"},
    ]
)


@dataclass(frozen=True)
class Process:
    """One of the servers, and a client that talks to it."""

    server: Server
    caller: Caller

    @property
    def pid(self) -> int:
        return self.server.pids[-1]

    async def session(self) -> str:
        return (await self.caller.make("/sessions", {"agent": "scripted"}, uuid4().hex))["id"]

    async def send(self, session: str, text: str) -> str:
        path = f"/sessions/{session}/inputs"
        return (await self.caller.make(path, {"content": text}, uuid4().hex))["id"]

    async def cancel(self, session: str) -> None:
        """Whatever turn is open."""
        answer = await self.caller.ask("GET", f"/sessions/{session}/turns")
        turn = answer.json()["data"][-1]["id"]
        answer = await self.caller.ask("POST", f"/sessions/{session}/turns/{turn}/cancel", {}, uuid4().hex)
        assert answer.is_success, answer.text

    async def log_until_settled(self, session: str, *inputs: str) -> list[tuple[int, str, str]]:
        """The session's log as this process tells it, once the inputs' turns have ended."""
        reader = Reader(self.caller, session)
        following = asyncio.create_task(reader.follow())
        async with asyncio.timeout(BOUND_SECONDS):
            await reader.settled(list(inputs))
        following.cancel()
        await asyncio.wait([following])
        return reader.told

    def lines(self) -> list[str]:
        """The tools' effects of this process."""
        return [one.key for one in effects(self.server.data_dir / OUTSIDE_FILE) if one.kind == "tool"]


@asynccontextmanager
async def running(
    directory: Path,
    postgres: PostgresDatabase,
    ttl_seconds: float,
    plan: Plan | None = None,
    defect: Defect | None = None,
) -> AsyncGenerator[Process]:
    await asyncio.to_thread(directory.mkdir)
    options = ["--database-url", postgres.url, "--lease-ttl-seconds", str(ttl_seconds)]
    server = Server(directory, defect, options)
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(headers=headers, timeout=BOUND_SECONDS, trust_env=False) as http:
        try:
            await server.start(plan)
            yield Process(server, Caller(server, http, Witness()))
        finally:
            server.kill()
            await server.ended()
    assert defect is not None or server.complaints() == []


async def result_of_gate(process: Process, session: str) -> list[str]:
    """How the log says that the gated tool ended."""
    answer = await process.caller.http.get(
        process.caller.url(f"/sessions/{session}/events?type=tool.completed")
    )
    return [event["data"]["status"] for event in answer.json()["data"] if event["data"]["name"] == "gate"]


async def causes(process: Process, session: str) -> list[str]:
    answer = await process.caller.http.get(
        process.caller.url(f"/sessions/{session}/events?type=turn.reclaimed")
    )
    return [event["data"]["cause"] for event in answer.json()["data"]]


async def test_a_sleeping_worker_s_late_writes_are_refused_and_it_starts_no_effect(
    tmp_path: Path, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Gate.standing() as gate:
        monkeypatch.setenv(GATE_VARIABLE, str(gate.port))
        async with (
            running(tmp_path / "first", postgres, ttl_seconds=1) as first,
            running(tmp_path / "second", postgres, ttl_seconds=1) as second,
        ):
            second.server.signal(signal.SIGSTOP)
            session = await first.session()
            sent = await first.send(session, GATE_THEN_LINE)
            await gate.arrival()
            first.server.signal(signal.SIGSTOP)
            second.server.signal(signal.SIGCONT)
            log = await second.log_until_settled(session, sent)
            first.server.signal(signal.SIGCONT)
            gate.open()
            await gate.departure()
            # It is awake, and works: what it wanted to write of the old turn came before this.
            other = await first.session()
            await first.log_until_settled(other, await first.send(other, "hello"))
            assert await second.log_until_settled(session, sent) == log
            assert (first.lines(), second.lines()) == ([], ["line"])
            assert await result_of_gate(second, session) == ["unknown"]
            assert await causes(second, session) == ["lease_expired"]
    assert await check_postgres(postgres.url) == []


async def test_a_server_that_lets_a_late_write_in_is_caught(
    tmp_path: Path, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = json.dumps([{"call": {"name": "gate", "arguments": {"key": key}}} for key in "ab"])
    async with Gate.standing() as gate, Gate.standing() as other_gate:
        monkeypatch.setenv(GATE_VARIABLE, str(gate.port))
        async with running(tmp_path / "first", postgres, ttl_seconds=1, defect="unfenced") as first:
            session = await first.session()
            sent = await first.send(session, script)
            await gate.arrival()
            first.server.signal(signal.SIGSTOP)
            monkeypatch.setenv(GATE_VARIABLE, str(other_gate.port))
            async with running(tmp_path / "second", postgres, ttl_seconds=1) as second:
                await other_gate.arrival()
                first.server.signal(signal.SIGCONT)
                gate.open()
                await gate.departure()
                other = await first.session()
                await first.log_until_settled(other, await first.send(other, "hello"))
                other_gate.open()
                await second.log_until_settled(session, sent)
    problems = await check_postgres(postgres.url)
    assert any("is a tool.completed" in problem for problem in problems), problems


async def test_a_killed_worker_s_turn_is_taken_over_after_its_ttl(
    tmp_path: Path, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Gate.standing() as gate:
        monkeypatch.setenv(GATE_VARIABLE, str(gate.port))
        async with running(tmp_path / "first", postgres, ttl_seconds=1) as first:
            session = await first.session()
            sent = await first.send(session, GATE_THEN_LINE)
            await gate.arrival()
        async with running(tmp_path / "second", postgres, ttl_seconds=1) as second:
            await second.log_until_settled(session, sent)
            assert (first.lines(), second.lines()) == ([], ["line"])
            assert await causes(second, session) == ["lease_expired"]
    assert await check_postgres(postgres.url) == []


async def test_a_gracefully_stopped_worker_s_turn_is_taken_over_at_once(
    tmp_path: Path, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    forever = 3600.0
    async with Gate.standing() as gate:
        monkeypatch.setenv(GATE_VARIABLE, str(gate.port))
        async with running(tmp_path / "first", postgres, forever) as first:
            session = await first.session()
            sent = await first.send(session, GATE_THEN_LINE)
            await gate.arrival()
            assert await first.server.stop() == 0
            await gate.departure()
        async with running(tmp_path / "second", postgres, forever) as second:
            await second.log_until_settled(session, sent)
            assert await causes(second, session) == ["worker_stopped"]
            assert second.lines() == ["line"]
    assert await check_postgres(postgres.url) == []


async def test_an_interrupt_through_the_other_process_stops_a_hung_tool(
    tmp_path: Path, postgres: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No lease is renewed within the test: nothing but a word from the other process tells of the interrupt.
    forever = 3600.0
    async with Gate.standing() as gate:
        monkeypatch.setenv(GATE_VARIABLE, str(gate.port))
        async with (
            running(tmp_path / "first", postgres, forever) as first,
            running(tmp_path / "second", postgres, forever) as second,
        ):
            second.server.signal(signal.SIGSTOP)
            session = await first.session()
            sent = await first.send(session, GATE_THEN_LINE)
            await gate.arrival()
            second.server.signal(signal.SIGCONT)
            await second.cancel(session)
            await gate.departure()
            await first.log_until_settled(session, sent)
            assert await result_of_gate(first, session) == ["cancelled"]
            assert (first.lines(), second.lines()) == ([], [])
    assert await check_postgres(postgres.url) == []


async def test_processes_go_on_and_hear_each_other_after_a_restart_of_their_database(tmp_path: Path) -> None:
    server = await asyncio.to_thread(PostgresServer)
    postgres = PostgresDatabase(server, await asyncio.to_thread(server.create), tmp_path)
    try:
        async with (
            running(tmp_path / "first", postgres, 3600.0) as first,
            running(tmp_path / "second", postgres, 3600.0) as second,
        ):
            session = await first.session()
            reader = Reader(second.caller, session)
            following = asyncio.create_task(reader.follow())
            before = await first.send(session, "before")
            async with asyncio.timeout(BOUND_SECONDS):
                await reader.settled([before])
            await asyncio.to_thread(server.restart)
            after = await first.send(session, "after")
            async with asyncio.timeout(BOUND_SECONDS):
                await reader.settled([before, after])
            following.cancel()
            await asyncio.wait([following])
            # The follower that stayed was told the same as one that reads the log now.
            assert await first.log_until_settled(session, before, after) == reader.told
        assert await check_postgres(postgres.url) == []
    finally:
        postgres.close()
        await asyncio.to_thread(server.stop)


async def test_a_worker_that_falls_asleep_within_a_transaction_does_not_hold_its_session_for_ever(
    tmp_path: Path, postgres: PostgresDatabase
) -> None:
    # Its first verb after the session's creation receives the input, and holds the session's row.
    plan = Plan("before_commit", 2, asleep=True)
    async with running(tmp_path / "first", postgres, 1, plan) as first:
        session = await first.session()
        sending = asyncio.create_task(first.send(session, "hello"))
        async with running(tmp_path / "second", postgres, 1) as second:
            await second.log_until_settled(session, await second.send(session, "from elsewhere"))
            first.server.signal(signal.SIGCONT)
            sent = await sending
            await second.log_until_settled(session, sent)
    assert await check_postgres(postgres.url) == []
