"""The parts of the benchmarks that need the real server, on a scale that takes a second."""

import json
from pathlib import Path

from bench.conversation import converse
from bench.load import make
from bench.multiply import multiply
from bench.sample import start_meter
from bench.scenarios.create import creations
from bench.scenarios.fanout import watch
from bench.scenarios.waiting import decide, make_waiting
from bench.target import sojourn
from bench.wire import connect, request
from tests.support.databases import PostgresDatabase


async def test_copied_sessions_are_listed_like_others(tmp_path: Path) -> None:
    async with sojourn(tmp_path) as target:
        made = await make(target, creations(target, 10))
    assert multiply(tmp_path, 3) == 40
    async with sojourn(tmp_path) as target:
        caller = await connect(target.port)
        body = await caller.ask(request("GET", f"{target.prefix}?limit=1000&tag=nightly"))
        caller.close()
    listed = {session["id"] for session in json.loads(body)["data"]}
    assert len(listed) == 40
    assert set(made) < listed


async def test_what_the_server_counted_is_told_for_each_operation(tmp_path: Path) -> None:
    async with sojourn(tmp_path) as target:
        meter = await start_meter(target)
        made = await make(target, creations(target, 20))
        sample = await meter.stop("create", [1] * len(made))
    assert sample.statements is not None
    assert sample.statements >= 1
    assert sample.commits is not None
    assert 0 < sample.commits <= 1


async def test_a_turn_is_timed_until_the_event_that_closes_it(tmp_path: Path) -> None:
    async with sojourn(tmp_path) as target:
        conversation = await converse(target)
        assert await conversation.turn("hello") > 0
        after_one = conversation.events
        await conversation.turn("hello again")
        conversation.close()
    assert conversation.events > after_one > 1


async def test_waiting_turns_are_made_and_each_is_timed_until_its_decision_has_ended_it(
    tmp_path: Path,
) -> None:
    async with sojourn(tmp_path) as target:
        waiting = await make_waiting(target, 5)
        assert len(set(waiting)) == 5
        sample = await decide(target, waiting)
    assert sample.operations == 5
    assert 0 < sample.latency.p50 <= sample.latency.max


async def test_a_commit_is_timed_until_a_stream_of_another_process_shows_it(
    tmp_path: Path, postgres: PostgresDatabase
) -> None:
    url = {"database_url": postgres.url}
    async with (
        sojourn(tmp_path / "taker", url | {"worker_capacity": "0"}) as taker,
        sojourn(tmp_path / "worker", url) as worker,
    ):
        seen, sent = await watch(taker, "across", 1, 2, 3, through=worker)
        turn = await converse(taker)
        spent = await turn.turn("hello")
        turn.close()
    assert 0 < seen.latency.p50 < sent.latency.max
    assert spent > 0
