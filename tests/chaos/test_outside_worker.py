"""A worker over HTTP is killed in the middle of its steps, and its server beside it, and nothing is lost or doubled."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx2
import pytest

from tests.chaos.checks import check
from tests.chaos.client import Caller, Reader, Witness
from tests.chaos.load import Load, run_session
from tests.chaos.outside import effects
from tests.chaos.plan import KILL_VARIABLE, Plan
from tests.chaos.process import BOUND_SECONDS, Server
from tests.chaos.server import KEY, OUTSIDE_FILE
from tests.support.databases import SqliteDatabase

pytestmark = pytest.mark.slow

TTL_SECONDS = 2.0
# The worker here has the model and its tools, and no programs.
LOAD = Load(sessions=3, inputs=2, replays=1, agents=("scripted", "parallel"))
PLANS = (Plan("mid_stream", 3), Plan("after_effect", 2), Plan("before_call", 3))


async def start_worker(server: Server, plan: Plan | None) -> asyncio.subprocess.Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SOJOURN_")}
    url = f"http://127.0.0.1:{server.port}"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.worker", "--url", url, "--data-dir", str(server.data_dir)),
        *("--renew-seconds", str(TTL_SECONDS / 3)),
        env=kept | {KILL_VARIABLE: str(plan or "")},
    )


async def kill_all(server: Server, done: "asyncio.Future[list[Reader]]", pids: list[int]) -> None:
    """Each worker dies at its point, the second one's server too; the last one lives to the end."""
    for number, plan in enumerate(PLANS):
        worker = await start_worker(server, plan)
        pids.append(worker.pid)
        dying = asyncio.create_task(worker.wait())
        await asyncio.wait([dying, done], return_when=asyncio.FIRST_COMPLETED)
        with suppress(ProcessLookupError):
            worker.kill()
        await dying
        if number == 1:
            server.kill()
            await server.ended()
            assert await server.start()
    worker = await start_worker(server, None)
    pids.append(worker.pid)
    await asyncio.wait([done])
    worker.kill()
    await worker.wait()


async def test_a_worker_elsewhere_and_its_server_are_killed_and_every_promise_is_kept(tmp_path: Path) -> None:
    options: Sequence[str] = ("--worker-capacity", "0", "--lease-ttl-seconds", str(TTL_SECONDS))
    server, witness, pids = Server(tmp_path, options=options), Witness(), list[int]()
    assert await server.start()
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(headers=headers, timeout=2 * BOUND_SECONDS, trust_env=False) as http:
        caller = Caller(server, http, witness)
        async with asyncio.timeout(2 * BOUND_SECONDS):
            sessions = [run_session(caller, Random(seed), f"s{seed}", LOAD) for seed in range(LOAD.sessions)]
            at_work = asyncio.ensure_future(asyncio.gather(*sessions))
            await kill_all(server, at_work, pids)
    assert await server.stop() == 0
    outside = effects(tmp_path / OUTSIDE_FILE)
    problems, facts = await check(SqliteDatabase(tmp_path), outside, witness, at_work.result())
    assert [*problems, *server.complaints()] == []
    assert facts["turn.reclaimed"] > 0
