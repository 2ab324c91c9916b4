"""The states of a session that was made natively, and how one gets into each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sojourn.domain.ids import SessionId
from sojourn.domain.policy import Policy
from sojourn.service.sessions import NewSession
from tests.support.reach import (
    Reach,
    cut,
    drive,
    end,
    finish,
    nothing,
    queue,
    reopen,
    retry,
    rewind,
    start,
    wait,
    wait_for_permission,
)
from tests.support.world import World
from tests.worker.family import children, do_all, is_waiting, lead, run, work_alone

MINUTE: Final = NewSession(policy=Policy(max_lifetime_seconds=60))


def made(reach: Reach, new: NewSession | None = None) -> Callable[[World], Awaitable[SessionId]]:
    async def make(world: World) -> SessionId:
        session = await world.new_session(new)
        await reach(world, session)
        return session

    return make


def expired(before: Reach) -> Reach:
    async def reach(world: World, session: SessionId) -> None:
        await before(world, session)
        world.clock.advance(60)
        await world.services.upkeep.tick()

    return reach


async def wait_for_child(world: World) -> SessionId:
    """A session that waits for one that it has started."""
    parent = await lead(world, run("hello"), {"say": "done"})
    await work_alone(world, parent)
    await do_all(world)
    assert await is_waiting(world, parent)
    assert await children(world, parent)
    return parent


SPAWNING: Final = NewSession(agent="spawning")

STATES: Final[Mapping[str, Callable[[World], Awaitable[SessionId]]]] = {
    "never ran": made(nothing),
    "queued": made(queue),
    "starting": made(start, SPAWNING),
    "busy": made(start),
    "waiting": made(wait),
    "waiting for a program's permission": made(wait_for_permission, SPAWNING),
    "waiting for a session it has started": wait_for_child,
    "retrying": made(retry),
    "idle after a turn": made(finish),
    "rewound to its beginning": made(rewind),
    "opened again": made(reopen),
    "driven from outside": made(drive),
    "completed": made(end("completed", finish)),
    "completed for good": made(end("completed", finish), NewSession(policy=Policy(reopen="never"))),
    "completed, its log cut": made(cut),
    "failed": made(end("failed", finish)),
    "cancelled": made(end("cancelled", finish)),
    "expired": made(expired(nothing), MINUTE),
    "expired in a turn": made(expired(start), MINUTE),
}
