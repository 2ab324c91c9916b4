"""Turns of a worker elsewhere: what does HTTP cost between claim and settle, beside the server's own worker?"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bench.lab import Lab
from bench.machine import ROOT
from bench.report import Findings
from bench.scenarios.turn import AT_ONCE, turns
from bench.target import Target
from bench.wire import HOST, TOKEN


@asynccontextmanager
async def worker_of(target: Target) -> AsyncGenerator[None]:
    """`sojourn worker` in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sojourn", "worker", "--json", "--url", f"http://{HOST}:{target.port}"),
        *("--key", TOKEN, "--data-dir", str(target.data / "worker")),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def run(lab: Lab) -> Findings:
    async with lab.sojourn() as target:
        own, _ = await turns(target, 1, "turn, the server's own worker")
        owns, _ = await turns(target, AT_ONCE, f"turn, the server's own worker, {AT_ONCE} at once")
    async with lab.sojourn(worker_capacity="0") as target, worker_of(target):
        one, _ = await turns(target, 1, "turn, a worker over HTTP")
        many, _ = await turns(target, AT_ONCE, f"turn, a worker over HTTP, {AT_ONCE} at once")
    return Findings(
        scenario="outside",
        samples=[own, owns, one, many],
        verdicts=[],
        notes=["the server's CPU is without that of the worker over HTTP, which is a process of its own."],
    )
