"""How much does it cost to read one session?"""

from random import Random

from bench.lab import Lab
from bench.load import ROUNDS, compare, make
from bench.report import Findings
from bench.scenarios.create import creations
from bench.target import Target
from bench.wire import request

SESSIONS = 1_000
REQUESTS = 30_000


async def work(target: Target) -> list[list[bytes]]:
    ids = await make(target, creations(target, SESSIONS))
    each = [request("GET", f"{target.prefix}/{id}") for id in ids]
    return [Random(1).choices(each, k=REQUESTS)] * ROUNDS


async def run(lab: Lab) -> Findings:
    floor, ours = await compare(lab, work, "select by key, 64 connections", "get, 64 connections")
    return Findings(scenario="get", samples=[floor, ours])
