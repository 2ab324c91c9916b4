"""How long after an interrupt is the turn over for those who watch, and its step over in the worker?

The worker begins a session's next turn only when the stopped step has ended, so that turn's start is the proof.
"""

import asyncio
import json
import time
from dataclasses import replace

from bench.conversation import TURN_LIMIT_SECONDS
from bench.goals import INTERRUPT_SEEN, INTERRUPT_STOPPED, Verdict
from bench.lab import Lab
from bench.report import Findings
from bench.sample import Sample, percentiles, start_meter
from bench.scenarios.append import AGENT, make_agent
from bench.scenarios.fanout import watch
from bench.streams import Stream, event_of, subscribe
from bench.target import Target
from bench.wire import Caller, connect, field, request

SECONDS = 5.0
AT_ONCE = 64
# A model call that would last far longer than the measurement.
WORK = json.dumps([{"sleep": 3600}, {"say": "done"}])


class Interrupted:
    """One session whose turn is always at work: each interrupt brings the next one."""

    def __init__(self, target: Target, session: str, caller: Caller) -> None:
        self._path = f"{target.prefix}/{session}/inputs"
        self._caller = caller
        self._seen: dict[bytes, int] = {}
        self._wanted: set[bytes] = set()
        self._done: asyncio.Future[None] | None = None
        self.stream: Stream | None = None

    def see(self, frame: bytes, now: int) -> None:
        name = event_of(frame)
        self._seen.setdefault(name, now)
        self._wanted.discard(name)
        if not self._wanted and self._done is not None and not self._done.done():
            self._done.set_result(None)

    async def send(self, delivery: str, *wanted: bytes) -> list[int]:
        """Nanoseconds from the request's first byte to the first event of each of the names."""
        self._seen.clear()
        self._wanted = {b"model.called", *wanted}
        self._done = asyncio.get_running_loop().create_future()
        body = {"content": WORK, "delivery": delivery}
        async with asyncio.timeout(TURN_LIMIT_SECONDS):
            await self._caller.ask(request("POST", self._path, body))
            await self._done
        return [self._seen[name] - self._caller.sent_ns for name in wanted]

    async def interrupt(self) -> tuple[int, int]:
        told, stopped = await self.send("interrupt", b"turn.cancelled", b"turn.started")
        return told, stopped

    async def interrupt_until(self, deadline: float) -> list[tuple[int, int]]:
        spent: list[tuple[int, int]] = []
        while time.monotonic() < deadline:
            spent.append(await self.interrupt())
        return spent

    def close(self) -> None:
        self._caller.close()
        if self.stream is not None:
            self.stream.close()


async def at_work(target: Target) -> Interrupted:
    caller = await connect(target.port)
    session = field(await caller.ask(request("POST", target.prefix, {"agent": AGENT})), "id")
    made = Interrupted(target, session, caller)
    made.stream = await subscribe(target.port, f"{target.prefix}/{session}/events/stream?after=0", made.see)
    await made.send("queue")
    return made


async def interrupts(target: Target, at_once: int, what: str) -> tuple[Sample, Sample]:
    """Until the turn's end is seen, and until its step has ended."""
    await make_agent(target)
    sessions = [await at_work(target) for _ in range(at_once)]
    try:
        await asyncio.gather(*(each.interrupt() for each in sessions))
        meter = await start_meter(target)
        deadline = time.monotonic() + SECONDS
        found = await asyncio.gather(*(each.interrupt_until(deadline) for each in sessions))
        spent = [one for each in found for one in each]
        told = await meter.stop(f"{what}, until its end is seen", [one for one, _ in spent])
    finally:
        for each in sessions:
            each.close()
    stopped = percentiles([one for _, one in spent])
    return told, replace(told, what=f"{what}, until its step has ended", latency=stopped)


async def run(lab: Lab) -> Findings:
    async with lab.floor() as target:
        _, floor = await watch(target, "a row written, until it is seen", 1, 1, 500)
    async with lab.sojourn() as target:
        told, stopped = await interrupts(target, 1, "interrupt")
    async with lab.sojourn() as target:
        many = await interrupts(target, AT_ONCE, f"interrupt, {AT_ONCE} at once")
    return Findings(
        scenario="interrupt",
        samples=[floor, told, stopped, *many],
        verdicts=[
            Verdict(goal=INTERRUPT_SEEN, measured=told.latency.p50, floor=floor.latency.p50),
            Verdict(goal=INTERRUPT_STOPPED, measured=stopped.latency.p50, floor=floor.latency.p50),
        ],
        notes=[
            (
                "each session is in a model call that would last an hour, and is watched by one stream; "
                "the interrupting input brings the next such call."
            ),
        ],
    )
