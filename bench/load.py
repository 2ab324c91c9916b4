"""Closed-loop load: every connection has one request under way until the supply or the time is used up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from bench.lab import Lab
from bench.sample import Sample, middle, start_meter
from bench.target import Target
from bench.wire import HOST, Lane, field

CONNECTIONS = 64
SECONDS = 2.0
ROUNDS = 3

Work = Callable[[Target], Awaitable[Sequence[Sequence[bytes]]]]
"""Prepares a server and answers the requests of each round."""


async def run_lanes(
    port: int, requests: Iterable[bytes], connections: int, seconds: float, *, keep: bool = False
) -> list[Lane]:
    """Sends the requests once each; after `seconds` no further one is begun."""
    loop = asyncio.get_running_loop()
    supply = iter(requests)
    lanes: list[Lane] = []
    ends: list[asyncio.Future[None]] = []
    for _ in range(connections):
        ends.append(loop.create_future())
        lane = Lane(supply, ends[-1], keep=keep)
        await loop.create_connection(lambda lane=lane: lane, HOST, port)
        lanes.append(lane)

    def stop() -> None:
        for lane in lanes:
            lane.stop = True

    timer = loop.call_later(seconds, stop)
    try:
        for lane in lanes:
            lane.next()
        async with asyncio.timeout(seconds + 30):
            await asyncio.gather(*ends)
    finally:
        timer.cancel()
        for lane in lanes:
            lane.close()
    return lanes


async def measure(
    target: Target,
    what: str,
    requests: Sequence[bytes],
    *,
    connections: int = CONNECTIONS,
    seconds: float = SECONDS,
) -> Sample:
    """The first twentieth of the requests, at most 500, warms the server and is not measured."""
    warm = min(500, len(requests) // 20)
    await run_lanes(target.port, requests[:warm], connections, seconds)
    meter = await start_meter(target)
    lanes = await run_lanes(target.port, requests[warm:], connections, seconds)
    latencies = [each for lane in lanes for each in lane.latencies_ns]
    errors = [each.decode(errors="replace") for lane in lanes for each in lane.errors]
    return await meter.stop(what, latencies, errors)


async def compare(
    lab: Lab,
    work: Work,
    floor_what: str,
    what: str,
    *,
    connections: int = CONNECTIONS,
    seconds: float = SECONDS,
) -> tuple[Sample, Sample]:
    """Floor and ours by turns, so that a neighbour's load falls on both; the median round of each."""
    async with lab.floor() as floor, lab.sojourn() as ours:
        contest = [(floor, floor_what, await work(floor)), (ours, what, await work(ours))]
        found: list[list[Sample]] = [[], []]
        for number in range(ROUNDS):
            for samples, (target, label, requests) in zip(found, contest, strict=True):
                samples.append(
                    await measure(target, label, requests[number], connections=connections, seconds=seconds)
                )
    return middle(found[0]), middle(found[1])


async def make(target: Target, requests: Sequence[bytes]) -> list[str]:
    """Carries out the requests, all of which must succeed, and returns the ids that they answered."""
    lanes = await run_lanes(target.port, requests, CONNECTIONS, 30.0, keep=True)
    errors = [each for lane in lanes for each in lane.errors]
    if errors:
        raise ConnectionError(f"{len(errors)} of {len(requests)} refused, first: {errors[0]!r}")
    return [field(body, "id") for lane in lanes for body in lane.bodies]
