"""How a session gets into each of its states."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from sojourn.domain.ask import NewAsk
from sojourn.domain.ids import AskId, SessionId, uuid7
from sojourn.domain.policy import Policy
from sojourn.ports import ClaimedTurn
from sojourn.service.sessions import EndStatus, NewSession
from tests.support.world import SOMEBODY, World


async def make(world: World) -> SessionId:
    return await world.new_session()


async def queue(world: World) -> SessionId:
    session = await make(world)
    await world.send(session)
    return session


async def spawn(world: World) -> SessionId:
    session = await world.new_session(NewSession(agent="spawning"))
    await world.send(session)
    await world.claim(session)
    return session


async def run(world: World) -> ClaimedTurn:
    return await world.claim(await queue(world))


async def start(world: World) -> SessionId:
    return (await run(world)).session


async def wait(world: World) -> SessionId:
    turn = await run(world)
    ask = NewAsk(id=AskId(uuid7()), kind="question", prompt={"text": "?"})
    await world.services.turns.wait(turn, [], [ask], "parked")
    return turn.session


async def retry(world: World) -> SessionId:
    turn = await run(world)
    await world.services.turns.retry(turn, [], "a passing fault", 60)
    return turn.session


async def finish(world: World) -> SessionId:
    turn = await run(world)
    await world.services.turns.settle(turn, [])
    return turn.session


async def drive(world: World) -> SessionId:
    session = await make(world)
    await world.services.presences.hold(world.org, session, "laptop", None)
    return session


def ended(status: EndStatus) -> Callable[[World], Awaitable[SessionId]]:
    async def reach(world: World) -> SessionId:
        session = await finish(world)
        await world.services.sessions.end(world.org, session, status, None, SOMEBODY)
        return session

    return reach


async def expire(world: World) -> SessionId:
    session = await world.new_session(NewSession(policy=Policy(max_lifetime_seconds=60)))
    await _pass_a_minute(world)
    return session


async def expire_in_a_turn(world: World) -> SessionId:
    session = await world.new_session(NewSession(policy=Policy(max_lifetime_seconds=60)))
    await world.send(session)
    await world.claim(session)
    await _pass_a_minute(world)
    return session


async def _pass_a_minute(world: World) -> None:
    world.clock.advance(60)
    await world.services.upkeep.tick()


STATES: Final[Mapping[str, Callable[[World], Awaitable[SessionId]]]] = {
    "never ran": make,
    "queued": queue,
    "starting": spawn,
    "busy": start,
    "waiting": wait,
    "retrying": retry,
    "idle after a turn": finish,
    "driven from outside": drive,
    "completed": ended("completed"),
    "failed": ended("failed"),
    "cancelled": ended("cancelled"),
    "expired": expire,
    "expired in a turn": expire_in_a_turn,
}
