"""How much does it cost to say that a session is still driven from outside?"""

from random import Random

from bench.goals import HEARTBEAT_CPU, HEARTBEAT_RATE, Verdict
from bench.lab import Lab
from bench.load import CONNECTIONS, ROUNDS, compare, make, run_lanes
from bench.report import Findings
from bench.scenarios.create import creations
from bench.target import Target
from bench.wire import request

SESSIONS = 1_000
REQUESTS = 30_000


async def work(target: Target) -> list[list[bytes]]:
    """Every session gets its holder first, so that the rounds only renew."""
    ids = await make(target, creations(target, SESSIONS))
    suffix = "" if target.prefix == "/rows" else "/presence"
    body = {"holder": "worker-1", "ttl_seconds": 60}
    each = [request("PUT", f"{target.prefix}/{id}{suffix}", body) for id in ids]
    await run_lanes(target.port, each, CONNECTIONS, 10.0)
    return [Random(1).choices(each, k=REQUESTS)] * ROUNDS


async def run(lab: Lab) -> Findings:
    floor, ours = await compare(lab, work, "upsert by key, 64 connections", "heartbeat, 64 connections")
    return Findings(
        scenario="heartbeat",
        samples=[floor, ours],
        verdicts=[
            Verdict(goal=HEARTBEAT_CPU, measured=ours.cpu_per_thousand, floor=floor.cpu_per_thousand),
            Verdict(goal=HEARTBEAT_RATE, measured=ours.rate, floor=floor.rate),
        ],
    )
