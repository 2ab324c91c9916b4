"""How long does a turn of the simulated model take, from the message sent to the closing event received?"""

import asyncio
import time
from collections.abc import Sequence

from bench.conversation import Conversation, converse
from bench.goals import TURN_COMMITS, TURN_CPU, TURN_P50, TURN_RATE, TURN_STATEMENTS, Verdict
from bench.lab import Lab
from bench.report import Findings
from bench.sample import Sample, start_meter
from bench.target import Target

TEXT = "Tell me how the night went."
AT_ONCE = 64
SECONDS = 5.0
MOST_TURNS_EACH = 500


async def turns_until(conversation: Conversation, deadline: float, text: str) -> list[int]:
    spent: list[int] = []
    for _ in range(MOST_TURNS_EACH):
        if time.monotonic() >= deadline:
            break
        spent.append(await conversation.turn(text))
    return spent


async def turns(
    target: Target, at_once: int, what: str, text: str = TEXT, agent: str = "default"
) -> tuple[Sample, float]:
    """The sample, and how many events a turn appended on average."""
    conversations = [await converse(target, agent=agent) for _ in range(at_once)]
    try:
        await asyncio.gather(*(each.turn(text) for each in conversations))
        before = sum(each.events for each in conversations)
        meter = await start_meter(target)
        deadline = time.monotonic() + SECONDS
        spent: Sequence[list[int]] = await asyncio.gather(
            *(turns_until(each, deadline, text) for each in conversations)
        )
        sample = await meter.stop(what, [each for one in spent for each in one])
        events = sum(each.events for each in conversations) - before
    finally:
        for each in conversations:
            each.close()
    return sample, events / sample.operations


async def run(lab: Lab) -> Findings:
    async with lab.sojourn() as target:
        one, events = await turns(target, 1, "turn, one at a time")
    async with lab.sojourn() as target:
        many, _ = await turns(target, AT_ONCE, f"turn, {AT_ONCE} at once")
        missing = target.without_counters()
    counted: list[Verdict] = []
    if one.statements is not None and one.commits is not None:
        counted = [
            Verdict(goal=TURN_STATEMENTS, measured=one.statements),
            Verdict(goal=TURN_COMMITS, measured=one.commits),
        ]
    return Findings(
        scenario="turn",
        samples=[one, many],
        verdicts=[
            Verdict(goal=TURN_P50, measured=one.latency.p50),
            Verdict(goal=TURN_RATE, measured=many.rate),
            Verdict(goal=TURN_CPU, measured=many.cpu_per_thousand),
            *counted,
        ],
        notes=[
            f"a turn appends {events:.1f} events; each session is watched by one stream, with token previews.",
            *([missing] if missing else []),
        ],
    )
