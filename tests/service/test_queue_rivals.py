"""A claim, and whoever wants something else with the same input at the same moment: one of them is first."""

import asyncio

import pytest

from sojourn.domain.actor import Actor
from sojourn.domain.content import TextPart
from sojourn.domain.errors import LeaseLost, WrongState
from sojourn.domain.events import InputDelivered, TurnCancelled, TurnDeferred
from sojourn.domain.ids import KeyId, uuid7
from sojourn.domain.input import Input
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.service.inputs import NewInput
from tests.support.world import SOMEBODY, World

ROUNDS = 8
KEYED = Actor("human", KeyId(uuid7()))


async def claim(world: World, ready: Ready) -> ClaimedTurn | None:
    return await world.services.turns.claim(ready, "worker", ("model",))


async def read(world: World, ready: Ready, input: Input) -> Input:
    return await world.services.inputs.get(ready.org, ready.session, input.id)


async def delivered(world: World, ready: Ready) -> list[object]:
    return [one.input for one in await world.said(ready.session, InputDelivered)]


async def begun(world: World) -> tuple[Ready, Input]:
    """A session with an input whose turn nobody has claimed."""
    session = await world.new_session()
    return Ready(world.org, session), await world.send(session, "first")


@pytest.mark.parametrize("stop", ["cancel", "withdraw"])
async def test_an_input_is_stopped_before_its_claim_or_after_it_and_never_read_once_it_is_withdrawn(
    world: World, stop: str
) -> None:
    for _ in range(ROUNDS):
        ready, input = await begun(world)
        services = world.services
        act = (
            services.turns.cancel(ready.org, ready.session, input.turn, KEYED)
            if stop == "cancel"
            else services.inputs.withdraw(ready.org, ready.session, input.id, KEYED)
        )
        claimed, stopped = await asyncio.gather(claim(world, ready), act, return_exceptions=True)
        assert not isinstance(claimed, BaseException)
        after = await read(world, ready, input)
        if claimed is None:
            assert (after.status, await delivered(world, ready)) == ("withdrawn", [])
        else:
            # A withdrawal comes too late then; a cancellation takes the turn away from its claim.
            assert isinstance(stopped, WrongState) == (stop == "withdraw")
            assert (after.status, await delivered(world, ready)) == ("delivered", [input.id])
        ends = [one.by for one in await world.said(ready.session, TurnCancelled)]
        assert ends == ([KEYED] if claimed is None or stop == "cancel" else [])
        if claimed is not None and stop == "cancel":
            with pytest.raises(LeaseLost):
                await services.turns.append(claimed, ())
    assert await world.problems() == []


async def test_an_interrupt_at_the_moment_of_a_claim_loses_neither_input(world: World) -> None:
    for _ in range(ROUNDS):
        ready, input = await begun(world)
        new = NewInput(content=(TextPart("rather"),), delivery="interrupt")
        send = world.services.inputs.send(ready.org, ready.session, new, KEYED)
        claimed, sent = await asyncio.gather(claim(world, ready), send)
        if claimed is None or claimed.turn == input.turn:
            now = await claim(world, ready)
        else:
            now = claimed
        assert now is not None
        assert now.turn == sent.value.turn
        deferred = await world.said(ready.session, TurnDeferred)
        cancelled = await world.said(ready.session, TurnCancelled)
        assert len(deferred) + len(cancelled) == 1
        await world.services.turns.cancel(ready.org, ready.session, now.turn, SOMEBODY)
        last = await claim(world, ready)
        # The input whose turn stood back has it now; one that was read at the claim was read once.
        assert (None if last is None else last.turn) == (input.turn if deferred else None)
        assert sorted(map(str, await delivered(world, ready))) == sorted(map(str, (input.id, sent.value.id)))
    assert await world.problems() == []


async def test_an_edit_at_the_moment_of_a_claim_is_read_or_refused(world: World) -> None:
    for _ in range(ROUNDS):
        ready, input = await begun(world)
        edit = world.services.inputs.edit(ready.org, ready.session, input.id, (TextPart("better"),), KEYED)
        claimed, edited = await asyncio.gather(claim(world, ready), edit, return_exceptions=True)
        if claimed is None:
            # On Postgres a claim waits for nobody.
            claimed = await claim(world, ready)
        assert isinstance(claimed, ClaimedTurn)
        texts = [message.text for message in (await world.conversation(ready.session)).messages]
        assert texts == ["first" if isinstance(edited, WrongState) else "better"]
        assert await delivered(world, ready) == [input.id]
    assert await world.problems() == []


async def test_of_moves_at_once_each_is_carried_out_and_the_queue_is_one_order(world: World) -> None:
    turn = await world.claimed()
    inputs = [await world.send(turn.session, str(number)) for number in range(6)]
    services = world.services
    await asyncio.gather(
        *(
            services.inputs.move(world.org, turn.session, one.id, other.id, KEYED)
            for one in inputs
            for other in inputs
            if one is not other
        )
    )
    queue = await services.inputs.queue(world.org, turn.session, None, 10)
    assert sorted(one.id for one in queue) == sorted(one.id for one in inputs)
    assert len({one.rank for one in queue}) == len(inputs)
    assert {one.revision for one in queue} == {len(inputs) - 1}
    assert await world.problems() == []
