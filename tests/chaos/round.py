"""One round: clients at work, a server that is killed under them, a restart, and the reckoning."""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from signal import SIGKILL
from typing import Final

import httpx2

from tests.chaos.checks import check
from tests.chaos.client import Caller, Reader, Witness
from tests.chaos.elsewhere import Elsewhere
from tests.chaos.kin_checks import below, is_quiet, trees
from tests.chaos.load import Load, run_session
from tests.chaos.orphans import orphans
from tests.chaos.outside import effects
from tests.chaos.pausing import pause
from tests.chaos.plan import POINTS, Defect, Plan, Point
from tests.chaos.process import Server, Servers, complaints
from tests.chaos.server import KEY, OUTSIDE_FILE
from tests.support.databases import PostgresDatabase, SqliteDatabase

# How far into a round a point's number may lie. A number that is never reached is a kill at rest.
REACH: Final[dict[Point, int]] = {
    "while_starting": 8,
    "before_commit": 40,
    "before_publish": 25,
    "before_answer": 40,
    "before_call": 8,
    "mid_stream": 20,
    "before_effect": 6,
    "after_effect": 6,
    "between_tools": 2,
    "before_decision": 6,
    "before_errand": 6,
    "after_errand": 6,
    "before_cut": 3,
    "before_purge": 3,
}
RANDOM_SECONDS: Final = 0.6
# Killed servers are restarted at once and nobody else renews their leases. Beside a loaded machine it is short.
TTL_SECONDS: Final = 0.5
ELSEWHERE_TTL_SECONDS: Final = 1.0
FATES: Final = (2, 5)
ANSWERS: Final = 10


@dataclass(frozen=True, slots=True)
class Kill:
    """A kill by the server itself (`plan`), at an answer's arrival, or after some seconds."""

    point: str
    plan: Plan | None = None
    answer: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """`kills` None draws them. `bound_seconds` is how long the clients wait for all that they asked for to end.

    `servers` of one database take turns in dying. With `elsewhere` there is a worker over HTTP, and all of the work is
    its own or most of it.
    """

    kills: Sequence[Kill] | None = None
    load: Load = field(default_factory=Load)
    defect: Defect | None = None
    postgres: PostgresDatabase | None = None
    servers: int = 1
    elsewhere: bool = False
    bound_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`kills` are the points at which the server was killed, in their order. `directory` is kept after a violation."""

    kills: tuple[str, ...]
    starts: int
    requests: int
    events: int
    violations: tuple[str, ...]
    facts: Counter[str]
    directory: Path


ANY: Final = Scene()


def draw_kill(random: Random) -> Kill:
    if random.random() < 0.1:
        return Kill("at_answer", answer=random.randint(1, ANSWERS))
    if random.random() < 0.2:
        return Kill("at_random", seconds=random.uniform(0, RANDOM_SECONDS))
    point = random.choice(POINTS)
    return Kill(point, Plan(point, random.randint(1, REACH[point])))


def draw_kills(random: Random) -> list[Kill]:
    """One, and often others while the server recovers from it."""
    return [draw_kill(random) for _ in range(random.choice([1, 2, 2, 3]))]


async def run_round(seed: int, scene: Scene = ANY) -> Outcome:
    directory = Path(tempfile.mkdtemp(prefix=f"sojourn-chaos-{seed}-"))
    outcome = await _Round(seed, directory, scene).run()
    if not outcome.violations:
        shutil.rmtree(directory)
    return outcome


class _Round:
    def __init__(self, seed: int, directory: Path, scene: Scene) -> None:
        self._random = Random(seed)
        # What is not everybody's, so that a seed makes the same load with it and without.
        self._aside = aside = Random(f"{seed} aside")
        self._directory = directory
        self._scene = scene
        self._database = scene.postgres or SqliteDatabase(directory)
        options = _options(scene, aside)
        self._every = [Server(directory, scene.defect, options) for _ in range(scene.servers)]
        self._servers = Servers(self._every, Random(aside.random()))
        self._elsewhere = Elsewhere(self._servers, directory, Random(aside.random()), ELSEWHERE_TTL_SECONDS)
        self._witness = Witness()
        self._done: list[str] = []

    async def run(self) -> Outcome:
        readers: list[Reader] = []
        bound_seconds = self._scene.bound_seconds
        try:
            async with asyncio.timeout(bound_seconds):
                readers = await self._work_through()
        except TimeoutError:
            self._witness.violations.append(f"not every turn had ended after {bound_seconds:g} s")
        except ExceptionGroup as errors:
            self._witness.violations.extend(repr(error) for error in errors.exceptions)
        finally:
            statuses = [await server.stop() for server in self._every]
        self._witness.violations.extend(
            f"the server ended with status {status}" for status in statuses if status
        )
        self._witness.violations.extend(complaints(self._directory))
        self._witness.violations.extend(await orphans(self._directory))
        outside = effects(self._directory / OUTSIDE_FILE)
        violations, facts = await check(self._database, outside, self._witness, readers)
        return Outcome(
            kills=(*self._done, *self._elsewhere.done),
            starts=sum(len(server.pids) for server in self._every),
            requests=len(self._witness.acknowledged),
            events=sum(len(reader.told) for reader in readers),
            violations=tuple(violations),
            facts=facts,
            directory=self._directory,
        )

    async def _work_through(self) -> list[Reader]:
        async with httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {KEY}"},
            limits=httpx2.Limits(max_connections=None),
            timeout=httpx2.Timeout(self._scene.bound_seconds),
            trust_env=False,
        ) as http:
            caller = Caller(self._servers, http, self._witness)
            async with self._worker_elsewhere(), asyncio.TaskGroup() as tasks:
                names = [f"s{number}" for number in range(self._scene.load.sessions)]
                seeds = [self._random.random() for _ in names]
                at_work = [
                    tasks.create_task(self._session(caller, Random(seed), name))
                    for name, seed in zip(names, seeds, strict=True)
                ]
                dying = tasks.create_task(self._kill_and_restart(at_work))
                # Nobody follows the sessions that sessions have started, nor forks.
                await asyncio.wait([*at_work, dying])
                while not is_quiet(self._database):
                    await pause(0.05)
            for done in self._witness.acknowledged:
                await caller.replay(done)
            await self._add_up(caller)
        return [task.result() for task in at_work]

    async def _add_up(self, caller: Caller) -> None:
        """What a tree is said to have used is what its sessions have."""
        for session in trees(self._database):
            answer = await caller.ask("GET", f"/sessions/{session}/tree")
            tree = answer.json()
            used = sum(node["usage"]["input_tokens"] for node in tree["nodes"])
            ids = {node["id"] for node in tree["nodes"]}
            if ids != below(self._database, session):
                self._witness.violations.append(f"the tree of session {session} is said to be {ids}")
            if used != tree["usage"]["input_tokens"]:
                self._witness.violations.append(f"the tree of session {session} adds up to {used}: {tree}")

    async def _session(self, caller: Caller, random: Random, name: str) -> Reader:
        await self._servers.up_after(0)
        return await run_session(caller, random, name, self._scene.load)

    @asynccontextmanager
    async def _worker_elsewhere(self) -> AsyncGenerator[None]:
        if not self._scene.elsewhere:
            yield
            return
        working = asyncio.create_task(self._elsewhere.run(self._aside.randint(*FATES)))
        try:
            yield
        finally:
            working.cancel()
            await asyncio.wait([working])
        if not working.cancelled() and (error := working.exception()) is not None:
            raise error

    async def _kill_and_restart(self, at_work: Sequence["asyncio.Task[Reader]"]) -> None:
        kills = draw_kills(self._random) if self._scene.kills is None else self._scene.kills
        async with asyncio.TaskGroup() as tasks:
            for number, server in enumerate(self._every):
                tasks.create_task(self._keep_dying(server, kills[number :: len(self._every)], at_work))

    async def _keep_dying(
        self, server: Server, kills: Sequence[Kill], at_work: Sequence["asyncio.Task[Reader]"]
    ) -> None:
        for kill in kills:
            await self._die(server, kill, at_work)
        if not await server.start():
            self._witness.violations.append("the server does not start any more")

    async def _die(self, server: Server, kill: Kill, at_work: Sequence["asyncio.Task[Reader]"]) -> None:
        """Start the server and see it killed, at the latest when there is nothing left to do."""
        on_answer = _at_answer(kill.answer, server.kill)
        self._witness.on_answer.append(on_answer)
        timer = None
        if await server.start(kill.plan) and kill.seconds is not None:
            timer = asyncio.get_running_loop().call_later(kill.seconds, server.kill)
        ended = asyncio.create_task(server.ended())
        at_rest = asyncio.create_task(_all_done(at_work))
        await asyncio.wait([ended, at_rest], return_when=asyncio.FIRST_COMPLETED)
        at_rest.cancel()
        self._done.append(kill.point if ended.done() else "at_rest")
        self._witness.on_answer.remove(on_answer)
        if timer is not None:
            timer.cancel()
        server.kill()
        if (status := await ended) != -SIGKILL:
            self._witness.violations.append(f"the server ended by itself, with status {status}")


def _options(scene: Scene, random: Random) -> Sequence[str]:
    options: list[str] = []
    if scene.postgres is not None:
        options += ["--database-url", scene.postgres.url]
    if scene.elsewhere:
        capacity = random.choice(["0", "0", "2"])
        return [*options, "--lease-ttl-seconds", str(ELSEWHERE_TTL_SECONDS), "--worker-capacity", capacity]
    return [*options, "--lease-ttl-seconds", str(TTL_SECONDS)]


def _at_answer(number: int, act: Callable[[], None]) -> Callable[[], None]:
    """Acts at the `number`-th answer from now on; never for 0."""
    answers = count(1)

    def on_answer() -> None:
        if next(answers) == number:
            act()

    return on_answer


async def _all_done(tasks: Sequence["asyncio.Task[Reader]"]) -> None:
    await asyncio.wait(tasks)
