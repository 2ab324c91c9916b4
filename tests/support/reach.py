"""How a session of a world gets into each of its states."""

from collections.abc import Awaitable, Callable

from sojourn.domain.ask import NewAsk
from sojourn.domain.ids import AskId, SessionId, uuid7
from sojourn.domain.kinds import Json
from sojourn.domain.policy import Policy
from sojourn.service.changes import SessionChange
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


async def wait_for_permission(world: World, session: SessionId) -> None:
    """What a program asks for while it keeps running."""
    await world.send(session)
    turn = await world.claim(session)
    await world.services.turns.append(turn, ())
    options: list[Json] = [
        {"id": "y", "name": "Yes", "kind": "allow_once"},
        {"id": "n", "name": "No", "kind": "reject_once"},
    ]
    ask = NewAsk(id=AskId(uuid7()), kind="approval", prompt={"name": "push", "options": options})
    await world.services.turns.wait(turn, [], [ask], "held")


async def rewind(world: World, session: SessionId) -> None:
    """To what it was before anything was said."""
    await finish(world, session)
    await world.services.rewinds.rewind(world.org, session, 1, SOMEBODY)


async def reopen(world: World, session: SessionId) -> None:
    await end("completed", finish)(world, session)
    await world.services.lifetimes.reopen(world.org, session, SOMEBODY)


async def cut(world: World, session: SessionId) -> None:
    """Its log, a minute after its end."""
    policy = SessionChange(policy=Policy(retain_log_seconds=60))
    await world.services.sessions.update(world.org, session, policy, SOMEBODY)
    await end("completed", finish)(world, session)
    world.clock.advance(60)
    await world.services.upkeep.tick()
    assert (await world.record(session)).first_seq > 1


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
