"""What do 10,000 streams cost on which nothing happens?"""

import asyncio
import resource

from bench import procfs
from bench.goals import IDLE_CPU, IDLE_MEMORY, Verdict
from bench.lab import Lab
from bench.load import make
from bench.report import Findings
from bench.sample import Sample, start_meter
from bench.streams import ignore, subscribe, subscribe_all
from bench.target import Target
from bench.wire import request

STREAMS = 10_000


def raise_file_limit() -> int:
    """A stream is a descriptor here and one in the server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def hold(target: Target, streams: int, seconds: float) -> tuple[Sample, float, int]:
    """The sample of the idle stretch, the bytes that each stream added, and the heartbeats seen."""
    suffix = "/stream" if target.prefix == "/rows" else "/events/stream?after=0"
    ids = await make(target, [request("POST", target.prefix, {})] * streams)
    paths = [f"{target.prefix}/{id}{suffix}" for id in ids]
    first = await subscribe(target.port, paths[0], ignore)
    before = procfs.rss_bytes(target.pid)
    held = await subscribe_all(target.port, paths, ignore)
    added = procfs.rss_bytes(target.pid) - before
    seen = sum(each.comments for each in held)
    meter = await start_meter(target)
    await asyncio.sleep(seconds)
    sample = await meter.stop(f"{streams:,} idle streams", [], operations=streams)
    beats = sum(each.comments for each in held) - seen
    for each in (first, *held):
        each.close()
    return sample, added / streams, beats


async def run(lab: Lab) -> Findings:
    streams = min(STREAMS, raise_file_limit() - 500)
    async with lab.floor() as target:
        floor, floor_bytes, _ = await hold(target, streams, 1)
    async with lab.sojourn() as target:
        # As long as the slowest heartbeat, so that the stretch holds one beat of every stream.
        ours, ours_bytes, beats = await hold(target, streams, 10)
    cpu = [each.server_cpu_seconds / each.seconds * 100 / streams * 1000 for each in (ours, floor)]
    return Findings(
        scenario="idle",
        samples=[floor, ours],
        verdicts=[
            Verdict(goal=IDLE_MEMORY, measured=ours_bytes / 1024, floor=floor_bytes / 1024),
            Verdict(goal=IDLE_CPU, measured=cpu[0], floor=cpu[1]),
        ],
        notes=[
            (
                f"{streams:,} streams of as many sessions, held for {ours.seconds:.0f} s, "
                f"{beats / streams:.1f} heartbeats each. The floor sends none. An operation is a stream."
            )
        ],
    )
