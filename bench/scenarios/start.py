"""How soon does a server answer, and what does it weigh before it has worked?"""

import asyncio
from dataclasses import replace
from statistics import median

from bench import procfs
from bench.goals import START_MEMORY, START_SECONDS, Verdict
from bench.lab import Lab
from bench.report import MEGABYTE, Findings
from bench.sample import Meter, Sample, percentiles
from bench.target import Target

STARTS = 5
SETTLE_SECONDS = 1.0


async def settled(target: Target, what: str) -> Sample:
    """The latency is the time to healthy; memory and CPU are read once the server has come to rest."""
    meter = Meter(target, None)
    await asyncio.sleep(SETTLE_SECONDS)
    sample = await meter.stop(what, [round(target.healthy_seconds * 1e9)])
    return replace(sample, server_cpu_seconds=procfs.cpu_seconds(target.pid))


def joined(samples: list[Sample]) -> Sample:
    return replace(
        samples[0],
        operations=len(samples),
        seconds=sum(each.seconds for each in samples),
        latency=percentiles([round(each.latency.max * 1e6) for each in samples]),
        server_cpu_seconds=sum(each.server_cpu_seconds for each in samples),
        client_cpu_seconds=sum(each.client_cpu_seconds for each in samples),
        foreign_cpu_seconds=sum(each.foreign_cpu_seconds for each in samples),
        rss_bytes=round(median(each.rss_bytes for each in samples)),
    )


async def run(lab: Lab) -> Findings:
    bare: list[Sample] = []
    fresh: list[Sample] = []
    again: list[Sample] = []
    for _ in range(STARTS):
        async with lab.floor() as target:
            bare.append(await settled(target, "start, fresh data"))
        data = lab.folder()
        async with lab.sojourn(data) as target:
            fresh.append(await settled(target, "start, fresh data"))
        async with lab.sojourn(data) as target:
            again.append(await settled(target, "start, existing data"))
    floor, ours, second = joined(bare), joined(fresh), joined(again)
    return Findings(
        scenario="start",
        samples=[floor, ours, second],
        verdicts=[
            Verdict(goal=START_SECONDS, measured=ours.latency.p50 / 1000, floor=floor.latency.p50 / 1000),
            Verdict(
                goal=START_MEMORY,
                measured=ours.rss_bytes / MEGABYTE,
                floor=floor.rss_bytes / MEGABYTE,
            ),
        ],
        notes=["latencies are times to the first healthy answer; server CPU is all that the process used."],
    )
