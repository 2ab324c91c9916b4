"""How much does a durable session cost, with its idempotency key, outside id, tags and metadata?"""

from bench.goals import CREATE_CPU, CREATE_RATE, Verdict
from bench.lab import Lab
from bench.load import ROUNDS, compare, measure
from bench.report import Findings
from bench.target import Target
from bench.wire import request

REQUESTS = 20_000


def creation(target: Target, number: int) -> bytes:
    body = {
        "title": f"Nightly report {number}",
        "external_id": f"report-{number}",
        "tags": ["nightly", "report"],
        "metadata": {"team": "core", "number": str(number)},
    }
    return request("POST", target.prefix, body, {"idempotency-key": f"create-{number}"})


def creations(target: Target, count: int, first: int = 0) -> list[bytes]:
    return [creation(target, number) for number in range(first, first + count)]


async def work(target: Target) -> list[list[bytes]]:
    return [creations(target, REQUESTS, number * REQUESTS) for number in range(ROUNDS)]


async def run(lab: Lab) -> Findings:
    async with lab.floor(batch=1) as target:
        alone = await measure(target, "insert, 64 connections", creations(target, REQUESTS))
    async with lab.sojourn() as target:
        one = await measure(target, "create, 1 connection", creations(target, 2_000), connections=1)
        missing = target.without_counters()
    floor, ours = await compare(lab, work, "insert, 64 connections", "create, 64 connections")
    return Findings(
        scenario="create",
        samples=[alone, floor, one, ours],
        verdicts=[
            Verdict(goal=CREATE_CPU, measured=ours.cpu_per_thousand, floor=floor.cpu_per_thousand),
            Verdict(goal=CREATE_RATE, measured=ours.rate, floor=floor.rate),
        ],
        notes=[
            "the floor shares an fsync among waiting writers (group commit); `own fsync` does not.",
            *([missing] if missing else []),
        ],
    )
