"""The checker is itself checked: each planted fault is found and named."""

from collections.abc import AsyncIterator

import pytest

from sojourn.domain.content import Usage
from sojourn.domain.events import ModelCompleted, ToolCompleted, ToolRequested, ToolStarted
from sojourn.domain.policy import Policy
from sojourn.service.sessions import NewSession
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.invariants import check_sqlite_file
from tests.support.world import SOMEBODY, World, open_world


@pytest.fixture
async def lived(sqlite: SqliteDatabase, clock: HandClock) -> AsyncIterator[World]:
    """A session with a bit of everything, its second turn running."""
    async with open_world(sqlite, clock) as world:
        policy = Policy(max_turn_seconds=60)
        session = await world.new_session(NewSession(tags=("a",), external_id="x", policy=policy))
        await world.send(session)
        turn = await world.claim(session)
        answer = ModelCompleted(
            call=1, model="m", provider="p", usage=Usage(1, 2, 3, 4), finish_reason="tool_call"
        )
        request = ToolRequested(call=1, index=0, id="t", name="clock", arguments="{}")
        await world.services.turns.append(turn, (answer, request), (ToolStarted(call=1, index=0),))
        result = ToolCompleted(call=1, index=0, id="t", name="clock", status="done", output="noon")
        await world.services.turns.settle(turn, (result,))
        await world.send(session)
        await world.send(session)
        await world.claim(session)
        await world.services.presences.hold(world.org, session, "laptop", None)
        await world.services.turns.write_file(await world.claimed(), "a.txt", b"a")
        await world.services.sessions.delete(world.org, await world.new_session(), SOMEBODY)
        yield world


FAULTS = [
    ("DELETE FROM events WHERE seq = 4", "the seqs are not"),
    ("UPDATE events SET seq = 99 WHERE type = 'tool.started'", "the seqs are not"),
    ("UPDATE events SET id = (SELECT id FROM events LIMIT 1)", "two events have one id"),
    ("UPDATE events SET type = 'turn.dreamt' WHERE type = 'turn.started'", "cannot be read"),
    ("UPDATE events SET type = 'tool.requested' WHERE type = 'tool.completed'", "cannot be read"),
    ("UPDATE events SET data = replace(data, '\"attempt\":1', '\"attempt\":2')", "skips an attempt"),
    ("UPDATE sessions SET fence = fence + 1", "the fence is"),
    ("UPDATE sessions SET revision = 1", "the revision is"),
    ("UPDATE sessions SET queued_inputs = 0", "the count of queued inputs is"),
    ("UPDATE sessions SET presences = 0", "the count of presences is"),
    ("UPDATE sessions SET activity = 'waiting'", "the activity is"),
    ("UPDATE sessions SET input_tokens = 0", "the usage is"),
    (
        "UPDATE sessions SET status = 'failed', activity = 'idle', open_turn = NULL, ended_at = 1",
        "the status is",
    ),
    ("UPDATE turns SET attempt = 2", "turn "),
    ("UPDATE turns SET worker = 'another'", "the worker of turn"),
    ("UPDATE inputs SET status = 'queued'", "input "),
    ("UPDATE files SET seq = 1", "the set of files is"),
    ("DELETE FROM tags", "the tags that are found"),
    ("DELETE FROM refs", "lead to a session that is called x"),
    ("DELETE FROM leases WHERE kind = 'turn'", "the turn's leases are"),
    ("UPDATE leases SET holder = 'worker/1' WHERE kind = 'turn'", "the turn's leases are"),
    ("DELETE FROM leases WHERE kind = 'presence'", "presences"),
    ("DELETE FROM timers", "the timers are"),
    ("UPDATE blob_uses SET seq = 99", "the set of blobs in use"),
    ("DELETE FROM blob_uses", "is used by nobody"),
    ("INSERT INTO refs SELECT org, 'external_id', 'ghost', id FROM tombstones", "still has refs"),
    (
        "INSERT INTO idempotency SELECT id, id, 'o', 'k', NULL, NULL, NULL, 1 FROM orgs",
        "reserved and answers nothing",
    ),
]


async def test_a_sound_store_has_no_problem(lived: World, sqlite: SqliteDatabase) -> None:
    assert await lived.problems() == []
    assert await check_sqlite_file(sqlite.path) == []


@pytest.mark.parametrize(("fault", "named"), FAULTS)
async def test_each_planted_fault_is_named(lived: World, fault: str, named: str) -> None:
    lived.database.query(fault)
    assert any(named in problem for problem in await lived.problems())
