"""The parts of the benchmarks that need the real server, on a scale that takes a second."""

import json
from pathlib import Path

from bench.conversation import converse
from bench.load import make
from bench.multiply import multiply
from bench.sample import start_meter
from bench.scenarios.create import creations
from bench.target import sojourn
from bench.wire import connect, request


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
