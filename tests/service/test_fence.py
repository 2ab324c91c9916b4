"""Invariant 3: the fence. Whoever lost a turn changes nothing any more, and knows it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sojourn.domain.ask import NewAsk
from sojourn.domain.errors import LeaseLost
from sojourn.domain.ids import AskId, uuid7
from sojourn.ports.turns import ClaimedTurn, Ready, Turns
from sojourn.service.sessions import SessionChange
from sojourn.store.rows import to_instant
from tests.support.world import SOMEBODY, World

Write = Callable[[Turns, ClaimedTurn], Awaitable[object]]
Loss = Callable[[World, ClaimedTurn], Awaitable[object]]


def an_ask() -> NewAsk:
    return NewAsk(id=AskId(uuid7()), kind="approval", prompt={})


async def lapse(world: World, _turn: ClaimedTurn) -> None:
    """Its worker falls silent, and upkeep takes the turn away."""
    await world.store.write(lambda tx: tx.refresh_leases(to_instant(0)))
    await world.services.upkeep.tick()


async def lapse_and_lose(world: World, turn: ClaimedTurn) -> None:
    await lapse(world, turn)
    await world.claim(turn.session, "another worker")


async def park(world: World, turn: ClaimedTurn) -> None:
    await world.services.turns.wait(turn, (), (an_ask(),), "parked")


async def cancel(world: World, turn: ClaimedTurn) -> None:
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)


async def interrupt(world: World, turn: ClaimedTurn) -> None:
    await world.send(turn.session, "stop", "interrupt")


async def settle(world: World, turn: ClaimedTurn) -> None:
    left = (await world.conversation(turn.session)).progress.unfinished()
    await world.services.turns.settle(turn, left.closing("cancelled", "the end"))


async def give_back(world: World, turn: ClaimedTurn) -> None:
    await world.services.turns.give_back(turn)


async def end(world: World, turn: ClaimedTurn) -> None:
    await world.services.sessions.end(world.org, turn.session, "completed", None, SOMEBODY)


async def delete(world: World, turn: ClaimedTurn) -> None:
    await world.services.sessions.delete(world.org, turn.session, SOMEBODY)


LOSSES: list[Loss] = [lapse, lapse_and_lose, park, cancel, interrupt, settle, give_back, end, delete]
WRITES: dict[str, Write] = {
    "append": lambda turns, turn: turns.append(turn, ()),
    "settle": lambda turns, turn: turns.settle(turn, ()),
    "fail": lambda turns, turn: turns.settle(turn, (), "error", "late"),
    "retry": lambda turns, turn: turns.retry(turn, (), "late", 1.0),
    "give_back": lambda turns, turn: turns.give_back(turn),
    "write_file": lambda turns, turn: turns.write_file(turn, "late.txt", b"late"),
    "write_memory": lambda turns, turn: turns.write_memory(turn, "late.md", "late"),
    "delete_memory": lambda turns, turn: turns.delete_memory(turn, "kept.md"),
}


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
async def test_late_writes_after_a_lease_loss_change_nothing(world: World, loss: Loss) -> None:
    turn = await world.claimed()
    await world.services.memories.put(world.org, turn.agent.id, "kept.md", "kept", SOMEBODY)
    await loss(world, turn)
    before = world.database.query("SELECT * FROM events ORDER BY session, seq")
    for name, write in WRITES.items():
        with pytest.raises(LeaseLost):
            await write(world.services.turns, turn)
        assert world.database.query("SELECT * FROM events ORDER BY session, seq") == before, name
    assert world.database.query("SELECT path FROM files") == []
    assert world.database.query("SELECT path FROM memories") == [("kept.md",)]
    assert await world.services.turns.renew([turn], "worker") == [turn]
    assert await world.problems() == []


async def test_what_clients_do_to_a_session_takes_no_lease_away(world: World) -> None:
    turn = await world.claimed()
    await world.send(turn.session)
    await world.services.sessions.update(world.org, turn.session, SessionChange(title="x"), SOMEBODY)
    await world.services.presences.hold(world.org, turn.session, "laptop", None)
    await world.services.turns.append(turn, ())
    assert await world.services.turns.renew([turn], "worker") == []


async def test_of_many_workers_one_claims(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    ready = Ready(world.org, session)
    claims = await asyncio.gather(
        *(world.services.turns.claim(ready, f"worker {number}", ("model",)) for number in range(8))
    )
    assert sum(claim is not None for claim in claims) == 1
    assert await world.problems() == []


async def test_a_worker_of_another_name_cannot_renew_a_claim(world: World) -> None:
    turn = await world.claimed()
    assert await world.services.turns.renew([turn], "somebody else") == [turn]
    assert await world.services.turns.renew([turn], "worker") == []


async def test_a_retry_gives_the_turn_up_until_its_time(world: World) -> None:
    turn = await world.claimed()
    await world.services.turns.retry(turn, (), "503", 2.0)
    ready = Ready(world.org, turn.session)
    assert await world.services.turns.claim(ready, "worker", ("model",)) is None
    world.clock.advance(2.0)
    again = await world.claim(turn.session)
    assert (again.attempt, again.faults) == (2, 1)
    with pytest.raises(LeaseLost):
        await world.services.turns.settle(turn, ())


async def test_a_turn_is_not_claimed_for_a_runner_that_the_worker_lacks(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    assert await world.services.turns.claim(Ready(world.org, session), "worker", ("acp",)) is None
