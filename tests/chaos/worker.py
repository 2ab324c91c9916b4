"""A worker outside that kills itself where it is told: `python -m tests.chaos.worker --url …`."""

import argparse
import asyncio
import logging
import os
from pathlib import Path

from sojourn.client import Client
from sojourn.domain.ids import OrgId
from sojourn.domain.kinds import RunnerKind
from sojourn.ports.turns import Runner
from sojourn.runners.model.loop import ModelRunner
from sojourn.worker.loop import Worker, WorkerSettings
from sojourn.worker.over_http import HttpTurns
from tests.chaos.model import WatchedModels
from tests.chaos.outside import Outside
from tests.chaos.plan import Killer
from tests.chaos.server import KEY, OUTSIDE_FILE, programs_of
from tests.chaos.tools import Lines, chaos_tools


async def work(url: str, data_dir: Path, renew_seconds: float) -> None:
    killer = Killer.of_environment()
    killer.listens = True
    outside = Outside(data_dir / OUTSIDE_FILE)
    name = f"chaos/{os.getpid()}/worker"
    async with Client(url, KEY, give_up_after_seconds=30) as client:
        turns = HttpTurns(client, OrgId((await client.me()).org), name, "default")
        models = WatchedModels(outside, killer)
        runners: dict[RunnerKind, Runner] = {
            "model": ModelRunner(models.client_for, chaos_tools(Lines(outside, killer), reruns=False)),
            "acp": programs_of(data_dir),
        }
        worker = Worker(turns, runners, WorkerSettings(name=name, renew_seconds=renew_seconds))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(turns.show())
            tasks.create_task(turns.listen(worker, list(runners)))
            tasks.create_task(worker.run())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--renew-seconds", type=float, required=True)
    options = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(work(options.url, options.data_dir, options.renew_seconds))


if __name__ == "__main__":
    main()
