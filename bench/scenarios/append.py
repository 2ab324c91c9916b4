"""What does one more step of a running turn cost? A scripted model calls a tool again and again."""

import json

from bench.lab import Lab
from bench.report import Findings
from bench.sample import Sample
from bench.scenarios.turn import turns
from bench.target import Target
from bench.wire import connect, request

STEPS = 50
AT_ONCE = 16
AGENT = "scripted"


def script(steps: int) -> str:
    """A message that makes the simulated model use a tool so many times within one turn."""
    call: dict[str, object] = {"call": {"name": "current_time", "arguments": {}}}
    return json.dumps([*[call] * (steps - 1), {"say": "done"}])


async def make_agent(target: Target) -> None:
    caller = await connect(target.port)
    agent = {"name": AGENT, "model": "sim/script", "tools": ["current_time"]}
    await caller.ask(request("POST", "/sojourn/v1/agents", agent))
    caller.close()


def per_step(sample: Sample) -> str:
    return (
        f"{sample.what}: {sample.rate * STEPS:,.0f} steps/s, "
        f"{sample.cpu_per_thousand / STEPS:.3f} server CPU-s per 1,000 steps, "
        f"{sample.latency.p50 / STEPS:.2f} ms a step"
        + (f", {sample.statements / STEPS:.1f} statements" if sample.statements is not None else "")
    )


async def run(lab: Lab) -> Findings:
    samples: list[Sample] = []
    notes: list[str] = []
    for at_once in (1, AT_ONCE):
        what = f"turn of {STEPS} model calls, {at_once} at once"
        async with lab.sojourn() as target:
            await make_agent(target)
            sample, events = await turns(target, at_once, what, script(STEPS), AGENT)
        samples.append(sample)
        notes.append(f"{per_step(sample)}, {events / STEPS:.1f} events a step")
    return Findings(scenario="append", samples=samples, notes=notes)
