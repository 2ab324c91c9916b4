import asyncio
from pathlib import Path

from bench.load import make, run_lanes
from bench.sample import start_meter
from bench.streams import event_of, subscribe
from bench.target import floor
from bench.wire import connect, request


async def test_the_floor_gives_back_what_many_writers_stored(tmp_path: Path) -> None:
    async with floor(tmp_path) as target:
        ids = await make(target, [request("POST", "/rows", {"title": str(n)}) for n in range(200)])
        assert len(set(ids)) == 200
        lanes = await run_lanes(
            target.port, [request("GET", f"/rows/{id}") for id in ids], 8, 10.0, keep=True
        )
        assert len({body for lane in lanes for body in lane.bodies}) == 200


async def test_the_floor_tells_a_subscriber_what_was_committed(tmp_path: Path) -> None:
    async with floor(tmp_path) as target:
        seen: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        [id] = await make(target, [request("POST", "/rows", {})])
        stream = await subscribe(target.port, f"/rows/{id}/stream", lambda frame, _: seen.set_result(frame))
        caller = await connect(target.port)
        await caller.ask(request("PATCH", f"/rows/{id}", {"title": "now"}))
        async with asyncio.timeout(10):
            frame = await seen
        caller.close()
        stream.close()
    assert event_of(frame) == b"session.updated"
    assert frame.endswith(b'"data":{"title":"now"}}')


async def test_a_server_without_a_handler_is_not_signalled(tmp_path: Path) -> None:
    async with floor(tmp_path) as target:
        meter = await start_meter(target)
        sample = await meter.stop("nothing", [1])
        assert sample.statements is None
        assert target.without_counters() is not None
