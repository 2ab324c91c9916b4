"""What does a page of a list cost?"""

from bench.lab import Lab
from bench.load import make, measure
from bench.report import Findings
from bench.sample import Sample
from bench.scenarios.create import creations
from bench.target import Target
from bench.wire import connect, request

SESSIONS = 1_000
PAGES = {
    "first page of 20": "?limit=20",
    "first page of 20, by tag": "?limit=20&tag=nightly",
    "first page of 20, by status and activity": "?limit=20&status=open&activity=idle",
}
WHOLE = "?limit=1000"


async def size(target: Target, path: str) -> int:
    caller = await connect(target.port)
    body = await caller.ask(request("GET", path))
    caller.close()
    return len(body)


async def reads(target: Target, what: str, path: str, count: int, connections: int) -> Sample:
    return await measure(target, what, [request("GET", path)] * count, connections=connections, seconds=2)


async def run(lab: Lab) -> Findings:
    samples: list[Sample] = []
    async with lab.sojourn() as target:
        await make(target, creations(target, SESSIONS))
        for what, query in PAGES.items():
            samples.append(await reads(target, what, target.prefix + query, 10_000, 64))
        page = await size(target, f"{target.prefix}?limit=20")
        bytes_whole = await size(target, target.prefix + WHOLE)
        whole = await reads(target, f"all {SESSIONS:,}", target.prefix + WHOLE, 1_000, 16)
    async with lab.floor() as target:
        floor_page = await reads(target, f"{page:,} constant bytes", f"/page/{page}", 10_000, 64)
        floor_whole = await reads(
            target, f"{bytes_whole:,} constant bytes", f"/page/{bytes_whole}", 1_000, 16
        )
    return Findings(
        scenario="list",
        samples=[floor_page, *samples, floor_whole, whole],
        notes=[f"the list of all {SESSIONS:,} is the native one, {bytes_whole / 1000:,.0f} KB."],
    )
