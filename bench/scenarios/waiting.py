"""What do 10,000 turns cost that wait for somebody's approval?"""

import asyncio
import json
import time

from bench import procfs
from bench.goals import (
    DECIDE_WAITING,
    WAITING_CPU,
    WAITING_MEMORY,
    WAITING_START_MEMORY,
    WAITING_START_SECONDS,
    Verdict,
)
from bench.lab import Lab
from bench.load import CONNECTIONS, make, run_lanes
from bench.report import Findings
from bench.sample import Sample, start_meter
from bench.streams import event_of, subscribe
from bench.target import Target
from bench.wire import Caller, connect, request

TURNS = 10_000
DECISIONS = 200
AGENT = "asking"
IDLE_SECONDS = 10.0
WAIT_LIMIT_SECONDS = 60.0
SCRIPT = json.dumps([{"call": {"name": "current_time", "arguments": {}}}, {"say": "done"}])


async def make_waiting(target: Target, turns: int) -> list[str]:
    """Sessions whose turn waits for an approval, by their ids."""
    caller = await connect(target.port)
    agent = {
        "name": AGENT,
        "model": "sim/script",
        "tools": ["current_time"],
        "tool_policy": {"current_time": "ask"},
    }
    await caller.ask(request("POST", "/sojourn/v1/agents", agent))
    ids = await make(target, [request("POST", target.prefix, {"agent": AGENT})] * turns)
    inputs = [request("POST", f"{target.prefix}/{id}/inputs", {"content": SCRIPT}) for id in ids]
    lanes = await run_lanes(target.port, inputs, CONNECTIONS, WAIT_LIMIT_SECONDS)
    errors = [each for lane in lanes for each in lane.errors]
    if errors:
        raise ConnectionError(f"{len(errors)} of {turns} refused, first: {errors[0]!r}")
    await _until_parked(target, caller)
    caller.close()
    return ids


async def _until_parked(target: Target, caller: Caller) -> None:
    for _ in range(600):
        if not await _count_at_work(target, caller):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("turns are still at work")


async def _count_at_work(target: Target, caller: Caller) -> int:
    found = 0
    for activity in ("queued", "starting", "busy", "retrying"):
        body = await caller.ask(request("GET", f"{target.prefix}?activity={activity}&limit=1"))
        found += len(json.loads(body)["data"])
    return found


async def rest(target: Target, what: str, turns: int) -> Sample:
    """An idle stretch, with nobody connected."""
    meter = await start_meter(target)
    await asyncio.sleep(IDLE_SECONDS)
    return await meter.stop(what, [round(target.healthy_seconds * 1e9)], operations=max(turns, 1))


async def decide(target: Target, ids: list[str]) -> Sample:
    """From a decision's first byte to the event that closes its turn, one after another."""
    caller, spent = await connect(target.port), list[int]()
    meter = await start_meter(target)
    for id in ids:
        spent.append(await _decide(target, caller, id))
    sample = await meter.stop(f"an approval of {TURNS:,}, decided, until its turn has ended", spent)
    caller.close()
    return sample


async def _decide(target: Target, caller: Caller, session: str) -> int:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def see(frame: bytes, now: int) -> None:
        if event_of(frame) == b"turn.completed" and not ended.done():
            ended.set_result(now)

    path = f"{target.prefix}/{session}"
    [ask] = json.loads(await caller.ask(request("GET", f"{path}/asks")))["data"]
    stream = await subscribe(target.port, f"{path}/events/stream?after=0", see)
    body = {"decision": "allow"}
    await caller.ask(request("POST", f"{path}/asks/{ask['id']}/decide", body))
    async with asyncio.timeout(WAIT_LIMIT_SECONDS):
        now = await ended
    stream.close()
    return now - caller.sent_ns


def _of_a_core(sample: Sample) -> float:
    return sample.server_cpu_seconds / sample.seconds * 100


async def run(lab: Lab) -> Findings:
    data = lab.folder()
    async with lab.sojourn(data) as target:
        empty = await rest(target, "at rest, no turn", 0)
        begun = time.perf_counter()
        ids = await make_waiting(target, TURNS)
        seconds = time.perf_counter() - begun
        full = await rest(target, f"at rest, {TURNS:,} turns wait", TURNS)
    async with lab.sojourn(data) as target:
        again = await rest(target, f"started again, {TURNS:,} turns wait", TURNS)
        decided = await decide(target, ids[:: TURNS // DECISIONS])
        left = procfs.rss_bytes(target.pid)
    return Findings(
        scenario="waiting",
        samples=[empty, full, again, decided],
        verdicts=[
            Verdict(goal=WAITING_CPU, measured=_of_a_core(full), floor=_of_a_core(empty)),
            Verdict(goal=WAITING_MEMORY, measured=(full.rss_bytes - empty.rss_bytes) / TURNS / 1024),
            Verdict(goal=WAITING_START_MEMORY, measured=(again.rss_bytes - empty.rss_bytes) / TURNS / 1024),
            Verdict(
                goal=WAITING_START_SECONDS,
                measured=again.latency.p50 / 1000,
                floor=empty.latency.p50 / 1000,
            ),
            Verdict(goal=DECIDE_WAITING, measured=decided.latency.p50),
        ],
        notes=[
            (
                f"{TURNS:,} turns were brought to wait within {seconds:.0f} s. Nobody is connected while the server "
                "rests; the floor is the same server before them. A latency at rest is the time from its start to the "
                f"first healthy answer. After {DECISIONS} decisions the server has {left / 1e6:.0f} MB."
            )
        ],
    )
