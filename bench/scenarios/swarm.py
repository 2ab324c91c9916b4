"""The agent-swarm surface: create, beat, and the list of everything that its dashboard asks for."""

from random import Random
from uuid import UUID

from bench.goals import SWARM_LIST_CPU, SWARM_UNCHANGED_CPU, Verdict
from bench.lab import Lab
from bench.load import CONNECTIONS, measure, run_lanes
from bench.report import Findings
from bench.target import Target
from bench.wire import connect, request

PATH = "/api/active-sessions"
SESSIONS = 1_000
REQUESTS = 20_000


def creation(number: int) -> bytes:
    """As its runner makes them; 1,000 list as some 450 KB."""
    body = {
        "agentId": str(UUID(int=number % 20)),
        "taskId": task(number),
        "triggerType": "task_assigned",
        "taskDescription": f"Look at the failing nightly build number {number} and say what broke it",
        "runnerSessionId": str(UUID(int=number)),
        "runtimeInstanceId": str(UUID(int=7)),
    }
    return request("POST", PATH, body)


def task(number: int) -> str:
    return str(UUID(int=number + (1 << 64)))


async def etag(target: Target) -> str | None:
    """The entity tag of the list; None without one. ConnectionError if the surface is not there."""
    caller = await connect(target.port)
    await caller.ask(request("GET", PATH))
    caller.close()
    return caller.etag


async def must_beat(target: Target, beat: bytes) -> None:
    """A beat of an unknown task is answered 200 too, and would be measured as if it did something."""
    caller = await connect(target.port)
    body = await caller.ask(beat)
    caller.close()
    if b"true" not in body:
        raise ConnectionError(f"nothing to beat: {body!r}")


async def run(lab: Lab) -> Findings:
    async with lab.sojourn() as target:
        try:
            await etag(target)
        except ConnectionError as error:
            return Findings(scenario="swarm", notes=[f"not measured: {error}"])
        await run_lanes(target.port, [creation(number) for number in range(SESSIONS)], CONNECTIONS, 10.0)
        beats = [request("PUT", f"{PATH}/heartbeat/{task(number)}") for number in range(SESSIONS)]
        await must_beat(target, beats[-1])
        beat = await measure(target, "swarm heartbeat", Random(1).choices(beats, k=REQUESTS))
        whole = await measure(
            target, f"swarm list of {SESSIONS:,}", [request("GET", PATH)] * 2_000, connections=16
        )
        tag = await etag(target)
        samples = [beat, whole]
        verdicts = [Verdict(goal=SWARM_LIST_CPU, measured=whole.cpu_per_thousand)]
        if tag is not None:
            again = [request("GET", PATH, headers={"if-none-match": tag})] * REQUESTS
            samples.append(await measure(target, "swarm list, unchanged", again, connections=16))
            verdicts.append(Verdict(goal=SWARM_UNCHANGED_CPU, measured=samples[-1].cpu_per_thousand))
        more = [creation(number) for number in range(SESSIONS, SESSIONS + REQUESTS)]
        samples.append(await measure(target, "swarm create", more))
    notes = [] if tag is not None else ["the list has no ETag"]
    return Findings(scenario="swarm", samples=samples, verdicts=verdicts, notes=notes)
