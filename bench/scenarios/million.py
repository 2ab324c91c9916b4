"""Does a page of a list cost more among a million sessions than among a thousand?"""

import asyncio

from bench.goals import PAGE_GROWTH, Verdict
from bench.lab import Lab
from bench.load import make, measure, run_lanes
from bench.multiply import multiply
from bench.report import Findings
from bench.sample import Sample
from bench.scenarios.create import creations
from bench.target import Target
from bench.wire import connect, request

SESSIONS = 1_000
COPIES = 999
AGENT = "night-shift"
QUERIES = {
    "all": "",
    "open": "&status=open",
    "failed": "&status=failed",
    "busy": "&activity=busy",
    "one agent's": f"&agent={AGENT}",
}


async def settle(target: Target) -> None:
    """A mix: a tenth completed, a tenth failed, some driven from outside, some of another agent."""
    caller = await connect(target.port)
    await caller.ask(request("POST", "/sojourn/v1/agents", {"name": AGENT}))
    caller.close()
    ids = await make(target, creations(target, SESSIONS - SESSIONS // 20))
    body = {"agent": AGENT}
    await make(target, [request("POST", target.prefix, body)] * (SESSIONS // 20))
    changes = [
        *(request("POST", f"{target.prefix}/{id}/end", {"status": "completed"}) for id in ids[0::10]),
        *(request("POST", f"{target.prefix}/{id}/end", {"status": "failed"}) for id in ids[1::10]),
        *(request("PUT", f"{target.prefix}/{id}/presence", {"holder": "outside"}) for id in ids[2::50]),
    ]
    lanes = await run_lanes(target.port, changes, 16, 10.0)
    if errors := [error for lane in lanes for error in lane.errors]:
        raise ConnectionError(f"not settled: {errors[0]!r}")


async def pages(target: Target, among: str) -> list[Sample]:
    found: list[Sample] = []
    for what, query in QUERIES.items():
        page = request("GET", f"{target.prefix}?limit=20{query}")
        label = f"20 of {among}, {what}"
        found.append(await measure(target, label, [page] * 2_000, connections=1, seconds=1.0))
    return found


async def run(lab: Lab) -> Findings:
    data = lab.folder()
    async with lab.sojourn(data) as target:
        await settle(target)
        few = await pages(target, f"{SESSIONS:,}")
    count = await asyncio.to_thread(multiply, data, COPIES)
    async with lab.sojourn(data) as target:
        many = await pages(target, f"{count:,}")
    ratios = [late.latency.p50 / early.latency.p50 for early, late in zip(few, many, strict=True)]
    worst = max(range(len(ratios)), key=ratios.__getitem__)
    return Findings(
        scenario="million",
        samples=[each for pair in zip(few, many, strict=True) for each in pair],
        verdicts=[Verdict(goal=PAGE_GROWTH, measured=ratios[worst])],
        notes=[
            f"the worst ratio of medians is that of `{few[worst].what}`; one connection.",
            "the million are the thousand, copied in the database; their logs are not, since no list reads them.",
        ],
    )
