"""How a session of a world gets into each of its states."""

from collections.abc import Awaitable, Callable

from sojourn.domain.ask import NewAsk
from sojourn.domain.ids import AskId, SessionId, uuid7
from sojourn.service.sessions import EndStatus
from tests.support.world import SOMEBODY, World

Reach = Callable[[World, SessionId], Awaitable[object]]


async def nothing(_world: World, _session: SessionId) -> None:
    """The session stays as it was made."""


async def queue(world: World, session: SessionId) -> None:
    await world.send(session)


async def start(world: World, session: SessionId) -> None:
    await world.send(session)
    await world.claim(session)


async def retry(world: World, session: SessionId) -> None:
    await world.send(session)
    await world.services.turns.retry(await world.claim(session), [], "a passing fault", 60)


async def wait(world: World, session: SessionId) -> None:
    await world.send(session)
    turn = await world.claim(session)
    ask = NewAsk(id=AskId(uuid7()), kind="question", prompt={"text": "?"})
    await world.services.turns.wait(turn, [], [ask], "parked")


async def finish(world: World, session: SessionId) -> None:
    await world.send(session)
    await world.services.turns.settle(await world.claim(session), [])


async def drive(world: World, session: SessionId) -> None:
    await world.services.presences.hold(world.org, session, "laptop", None)


def end(status: EndStatus, before: Reach = nothing) -> Reach:
    async def reach(world: World, session: SessionId) -> None:
        await before(world, session)
        await world.services.sessions.end(world.org, session, status, None, SOMEBODY)

    return reach
