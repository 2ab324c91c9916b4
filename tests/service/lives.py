"""Sessions with a random past, for tests of what is made of a log."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from sojourn.domain.ids import SessionId
from sojourn.domain.policy import NO_POLICY
from tests.service.budget_rules import Limits
from tests.service.machine import SessionMachine
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import World, open_world

BUDGETS: tuple[Limits, ...] = ((), (("tool_calls", 9, 3),))


def live(machine: SessionMachine, seed: int) -> None:
    """A random life of one session."""
    random = Random(seed)
    machine.create(seed, "default", NO_POLICY, BUDGETS[seed % 2])
    for _ in range(30):
        model = machine.mirror.model
        acts: list[Callable[[], None]] = [
            lambda: machine.receive(random.choice(["queue", "queue", "steer", "interrupt"]), twice=False),
            lambda: machine.go_on(random.randint(1, 5)),
            lambda: machine.go_on(random.randint(1, 5)),
            lambda: machine.change_file(random.choice(["a", "a/b", "c"]), random.choice([b"", b"1", None])),
            lambda: machine.archive(False),
            lambda: machine.hold("laptop"),
            lambda: machine.release("laptop"),
            lambda: machine.end(random.choice(["completed", "failed"])),
        ]
        if model.inputs:
            acts += [lambda: machine.edit(None), lambda: machine.withdraw(None)]
        if model.turns:
            acts.append(machine.cancel)
        random.choice(acts)()


def on_random_logs(
    database: Database, seeds: int, look: Callable[[World, SessionId, int], Awaitable[None]]
) -> None:
    """`look` at a session of each seed, in one world, of which no invariant may be broken in the end.

    The machine that gives a session its past drives a loop itself, so this runs outside of one.
    """
    with asyncio.Runner() as runner:
        opening = open_world(database, HandClock())
        world = runner.run(opening.__aenter__())
        try:
            for seed in range(seeds):
                machine = SessionMachine(world, runner)
                live(machine, seed)
                runner.run(_looked(look, world, machine.mirror.id, seed))
            assert runner.run(world.problems()) == []
        finally:
            runner.run(opening.__aexit__(None, None, None))


async def _looked(
    look: Callable[[World, SessionId, int], Awaitable[None]], world: World, session: SessionId, seed: int
) -> None:
    await look(world, session, seed)
