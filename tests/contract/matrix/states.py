"""The states of a session that was made natively, and how one gets into each."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sojourn.domain.ids import SessionId
from sojourn.domain.policy import Policy
from sojourn.service.sessions import NewSession
from tests.support.reach import Reach, drive, end, finish, nothing, queue, retry, start, wait
from tests.support.world import World

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


STATES: Final[Mapping[str, Callable[[World], Awaitable[SessionId]]]] = {
    "never ran": made(nothing),
    "queued": made(queue),
    "starting": made(start, NewSession(agent="spawning")),
    "busy": made(start),
    "waiting": made(wait),
    "retrying": made(retry),
    "idle after a turn": made(finish),
    "driven from outside": made(drive),
    "completed": made(end("completed", finish)),
    "failed": made(end("failed", finish)),
    "cancelled": made(end("cancelled", finish)),
    "expired": made(expired(nothing), MINUTE),
    "expired in a turn": made(expired(start), MINUTE),
}
