"""Two server processes on one Postgres: how soon does one learn what the other did?

The first has no worker and takes the requests, the second runs the turns, so that nothing stays within a process.
"""

from bench.goals import FANOUT_ACROSS, INTERRUPT_ACROSS, Verdict
from bench.lab import Lab
from bench.report import Findings
from bench.scenarios.fanout import watch
from bench.scenarios.interrupt import interrupts
from bench.scenarios.turn import AT_ONCE, turns

COMMITS = 500


async def run(lab: Lab) -> Findings:
    async with lab.postgres() as url:
        async with lab.sojourn(database_url=url) as alone:
            within = await watch(alone, "1 stream, same process", 1, 1, COMMITS)
            single, _ = await turns(alone, 1, "turn, one process")
            singles, _ = await turns(alone, AT_ONCE, f"turn, one process, {AT_ONCE} at once")
        async with (
            lab.sojourn(database_url=url, worker_capacity="0") as taker,
            lab.sojourn(database_url=url) as worker,
        ):
            across = await watch(taker, "1 stream, other process", 1, 1, COMMITS, through=worker)
            many = await watch(taker, "1,000 streams of a session, other process", 1, 1_000, 40, worker)
            one, _ = await turns(taker, 1, "turn, claimed by the other process")
            busy, _ = await turns(taker, AT_ONCE, f"turn, claimed by the other process, {AT_ONCE} at once")
            told, stopped = await interrupts(taker, 1, "interrupt of the other process")
    return Findings(
        scenario="processes",
        samples=[*within, single, singles, *across, *many, one, busy, told, stopped],
        verdicts=[
            Verdict(goal=FANOUT_ACROSS, measured=across[0].latency.p50, floor=within[0].latency.p50),
            Verdict(goal=INTERRUPT_ACROSS, measured=stopped.latency.p50),
        ],
        notes=[
            (
                "the server's CPU is that of the process that takes the requests. The floor of the first budget is a "
                "stream of the same process, on the same Postgres."
            ),
        ],
    )
