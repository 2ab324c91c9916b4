"""`python -m bench <scenario>|all`: run, print the tables, keep them with `--out`."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import uvloop

from bench.lab import Lab, Scenario
from bench.machine import describe
from bench.quiet import until_quiet
from bench.report import Findings, markdown, write
from bench.scenarios import (
    append,
    create,
    dialects,
    fanout,
    get,
    growth,
    heartbeat,
    idle,
    interrupt,
    million,
    outside,
    pages,
    processes,
    start,
    swarm,
    turn,
    waiting,
)

SCENARIOS: dict[str, Scenario] = {
    "start": start.run,
    "create": create.run,
    "get": get.run,
    "list": pages.run,
    "million": million.run,
    "heartbeat": heartbeat.run,
    "turn": turn.run,
    "append": append.run,
    "interrupt": interrupt.run,
    "growth": growth.run,
    "fanout": fanout.run,
    "idle": idle.run,
    "outside": outside.run,
    "processes": processes.run,
    "waiting": waiting.run,
    "swarm": swarm.run,
    "dialects": dialects.run,
}
LIMIT_SECONDS = 300.0


async def run(names: list[str], root: Path, patience_seconds: float) -> list[Findings]:
    found: list[Findings] = []
    for name in names:
        quiet = await until_quiet(patience_seconds) or patience_seconds == 0
        print(f"{name} …" if quiet else f"{name} … on a busy machine", file=sys.stderr, flush=True)
        async with asyncio.timeout(LIMIT_SECONDS):
            found.append(await SCENARIOS[name](Lab(root / name)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("scenario", nargs="+", choices=[*SCENARIOS, "all"])
    parser.add_argument("--out", type=Path, help="write JSON here, and the tables beside it as .md")
    parser.add_argument("--data", type=Path, help="a folder for the servers' data, on a real disk")
    parser.add_argument(
        "--patience",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="wait so long for the machine to be quiet",
    )
    args = parser.parse_args()
    names = list(SCENARIOS) if "all" in args.scenario else args.scenario
    with tempfile.TemporaryDirectory(prefix="sojourn-bench-", dir=args.data) as folder:
        machine = describe(Path(folder))
        found = uvloop.run(run(names, Path(folder), args.patience))
    print(markdown(machine, found))
    if args.out is not None:
        write(args.out, machine, found)


if __name__ == "__main__":
    main()
