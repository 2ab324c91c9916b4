"""What does a call through a dialect cost beside the native call that does the same?

agent-swarm's calls do what takes several native ones, and have a scenario of their own. A session of Membrane begins
with a message, and one of AgentCore is a turn: their creates have no like natively.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bench.goals import DIALECT_RATIO, Verdict
from bench.lab import Lab
from bench.load import ROUNDS, make, measure
from bench.report import Findings
from bench.sample import Sample, middle
from bench.target import Target
from bench.wire import TOKEN, request

SESSIONS: Final = 1_000
REQUESTS: Final = 10_000
SECONDS: Final = 1.0
NATIVE: Final = "native"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How its clients create a session, read one and ask for the newest 20; None where the vendor has no such call."""

    name: str
    create: Callable[[int], bytes] | None = None
    get: Callable[[UUID], bytes] | None = None
    page: bytes | None = None


MEMBRANE: Final = "/agent/sessions"
EVERRUNS: Final = "/v1/sessions"
KODEXA: Final = "/api/orchestrator-agent-sessions"
KODEXA_KEY: Final = {"x-api-key": TOKEN}


def _native(number: int) -> bytes:
    return request("POST", "/sojourn/v1/sessions", {"metadata": {"number": number}, "tags": [str(number)]})


def _kodexa(number: int) -> bytes:
    body = {"runtimeSessionId": f"runtime-session-{number:020}", "metadata": {"number": number}}
    return request("POST", KODEXA, body, KODEXA_KEY)


DIALECTS: Final = (
    Dialect(
        name=NATIVE,
        create=_native,
        get=lambda id: request("GET", f"/sojourn/v1/sessions/{id}"),
        page=request("GET", "/sojourn/v1/sessions?limit=20"),
    ),
    Dialect(
        name="Kodexa",
        create=_kodexa,
        get=lambda id: request("GET", f"{KODEXA}/{id}", headers=KODEXA_KEY),
        page=request("GET", f"{KODEXA}?pageSize=20", headers=KODEXA_KEY),
    ),
    Dialect(
        name="Membrane",
        get=lambda id: request("GET", f"{MEMBRANE}/{id.hex}"),
        page=request("GET", f"{MEMBRANE}?limit=20"),
    ),
    Dialect(
        name="Everruns",
        create=lambda number: request(
            "POST", EVERRUNS, {"tags": [str(number)], "capabilities": [], "tools": []}
        ),
        get=lambda id: request("GET", f"{EVERRUNS}/session_{id.hex}"),
        page=request("GET", f"{EVERRUNS}?limit=20"),
    ),
)


async def run(lab: Lab) -> Findings:
    async with lab.sojourn() as target:
        ids = [UUID(id) for id in await make(target, [_native(number) for number in range(SESSIONS)])]
        reads = {dialect.name: [dialect.get(id) for id in ids] for dialect in DIALECTS if dialect.get}
        pages = {dialect.name: [dialect.page] for dialect in DIALECTS if dialect.page}
        samples = [
            *await _in_turns(target, "get", {name: _repeated(each) for name, each in reads.items()}),
            *await _in_turns(target, "page of 20", {name: _repeated(each) for name, each in pages.items()}),
            *await _in_turns(target, "create", None),
        ]
    return Findings(scenario="dialects", samples=samples, verdicts=_verdicts(samples))


def _repeated(requests: Sequence[bytes]) -> list[bytes]:
    return [requests[number % len(requests)] for number in range(REQUESTS)]


async def _in_turns(target: Target, verb: str, supply: dict[str, list[bytes]] | None) -> list[Sample]:
    """The median round of each dialect; the dialects take turns, so that a neighbour's load falls on all of them."""
    found: dict[str, list[Sample]] = {}
    for turn in range(ROUNDS):
        for dialect in DIALECTS:
            if supply is None and dialect.create is not None:
                first = SESSIONS + turn * REQUESTS
                requests = [dialect.create(number) for number in range(first, first + REQUESTS)]
            elif supply is not None and dialect.name in supply:
                requests = supply[dialect.name]
            else:
                continue
            sample = await measure(target, f"{verb}, {dialect.name}", requests, seconds=SECONDS)
            found.setdefault(dialect.name, []).append(sample)
    return [middle(each) for each in found.values()]


def _verdicts(samples: Sequence[Sample]) -> list[Verdict]:
    """The dearest call of all the dialects, against its native one."""
    costs = {sample.what: sample.cpu_per_thousand for sample in samples}
    ratios: list[float] = []
    for what, cost in costs.items():
        verb, _, name = what.partition(", ")
        base = costs[f"{verb}, {NATIVE}"]
        if name != NATIVE and base:
            ratios.append(cost / base)
    return [Verdict(goal=DIALECT_RATIO, measured=max(ratios))] if ratios else []
