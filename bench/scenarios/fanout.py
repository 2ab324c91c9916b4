"""How long after its commit does an event reach those who watch?"""

import asyncio
import re
import time
from dataclasses import replace
from datetime import datetime

from bench.goals import FANOUT_MANY_SESSIONS, FANOUT_ONE, FANOUT_ONE_SESSION, Goal, Verdict
from bench.lab import Lab
from bench.load import make
from bench.report import Findings
from bench.sample import Sample, percentiles, start_meter
from bench.streams import event_of, subscribe_all
from bench.target import Target
from bench.wire import connect, request

STREAMS = 1_000
ARRIVAL_LIMIT_SECONDS = 10.0
AT = re.compile(rb'"at":"([^"]+)"')


class Arrivals:
    """When each of an expected number of subscribers saw the next event, and the instant that it carries."""

    def __init__(self) -> None:
        self.times: list[int] = []
        self.at_ns = 0
        self._missing = 0
        self._done: asyncio.Future[None] | None = None

    def expect(self, count: int) -> asyncio.Future[None]:
        self.times = []
        self._missing = count
        self._done = asyncio.get_running_loop().create_future()
        return self._done

    def seen(self, frame: bytes, now: int) -> None:
        if event_of(frame) != b"session.updated" or self._done is None:
            return
        if not self.times:
            self.at_ns = instant_of(frame)
        self.times.append(now)
        self._missing -= 1
        if self._missing == 0:
            self._done.set_result(None)


def instant_of(frame: bytes) -> int:
    """The event's `at`, on the clock of `perf_counter_ns`: both processes live on one machine."""
    found = AT.search(frame)
    if found is None:
        raise ValueError(f"no instant in {frame!r}")
    at = datetime.fromisoformat(found[1].decode())
    return round(at.timestamp() * 1e9) - time.time_ns() + time.perf_counter_ns()


async def watch(
    target: Target,
    what: str,
    sessions: int,
    streams_each: int,
    commits: int,
    through: Target | None = None,
) -> tuple[Sample, Sample]:
    """Latencies from the event's instant, and from the first byte of the request that caused it.

    The streams are of `through`, another process of the same database, where that is given.
    """
    suffix = "/stream" if target.prefix == "/rows" else "/events/stream?after=1"
    ids = await make(target, [request("POST", target.prefix, {})] * sessions)
    arrivals = Arrivals()
    paths = [f"{target.prefix}/{id}{suffix}" for id in ids for _ in range(streams_each)]
    streams = await subscribe_all((through or target).port, paths, arrivals.seen)
    caller = await connect(target.port)
    after_instant: list[int] = []
    after_sending: list[int] = []
    meter = await start_meter(target)
    for number in range(commits):
        done = arrivals.expect(streams_each)
        path = f"{target.prefix}/{ids[number % sessions]}"
        async with asyncio.timeout(ARRIVAL_LIMIT_SECONDS):
            await caller.ask(request("PATCH", path, {"title": f"Report {number}"}))
            await done
        after_instant += [each - arrivals.at_ns for each in arrivals.times]
        after_sending += [each - caller.sent_ns for each in arrivals.times]
    sample = await meter.stop(f"{what}, after the event's instant", after_instant, operations=commits)
    for each in (caller, *streams):
        each.close()
    sent = replace(sample, what=f"{what}, after sending", latency=percentiles(after_sending))
    return sample, sent


async def compared(
    lab: Lab, goal: Goal, what: str, shape: tuple[int, int, int], rank: str
) -> tuple[list[Sample], Verdict]:
    async with lab.floor() as target:
        floor = await watch(target, what, *shape)
    async with lab.sojourn() as target:
        ours = await watch(target, what, *shape)
    measured, least = (getattr(each[0].latency, rank) for each in (ours, floor))
    return [*floor, *ours], Verdict(goal=goal, measured=measured, floor=least)


async def run(lab: Lab) -> Findings:
    one, first = await compared(lab, FANOUT_ONE, "1 stream", (1, 1, 1_000), "p50")
    shared, second = await compared(
        lab, FANOUT_ONE_SESSION, "1,000 streams of a session", (1, STREAMS, 40), "p99"
    )
    apart, third = await compared(
        lab, FANOUT_MANY_SESSIONS, "1,000 streams of 1,000 sessions", (STREAMS, 1, 500), "p99"
    )
    return Findings(
        scenario="fanout",
        samples=[*one, *shared, *apart],
        verdicts=[first, second, third],
        notes=[
            (
                "an event's instant is taken before its commit, so the latency after it holds the fsync too: it is an "
                "upper bound of commit to subscriber. An operation is a commit, one at a time."
            ),
        ],
    )
