"""What does one more append to a running turn cost? A scripted turn makes many model calls, one boundary each."""

import json

from bench.lab import Lab
from bench.report import Findings
from bench.sample import Sample
from bench.scenarios.turn import turns

STEPS = 50
AT_ONCE = 16


def script(steps: int) -> str:
    """A message that makes the simulated model answer so many times within one turn."""
    call: dict[str, object] = {"call": {"name": "unknown", "arguments": {}}}
    return json.dumps([*[call] * (steps - 1), {"say": "done"}])


def per_step(sample: Sample) -> str:
    return (
        f"{sample.what}: {sample.rate * STEPS:,.0f} steps/s, "
        f"{sample.cpu_per_thousand / STEPS:.3f} server CPU-s per 1,000 steps, "
        f"{sample.latency.p50 / STEPS:.2f} ms a step"
    )


async def run(lab: Lab) -> Findings:
    samples: list[Sample] = []
    notes: list[str] = []
    for at_once in (1, AT_ONCE):
        async with lab.sojourn() as target:
            sample, events = await turns(
                target, at_once, f"turn of {STEPS} model calls, {at_once} at once", script(STEPS)
            )
        samples.append(sample)
        notes.append(f"{per_step(sample)}, {events / STEPS:.1f} events a step")
    return Findings(scenario="append", samples=samples, notes=notes)
