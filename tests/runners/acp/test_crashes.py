"""A worker that vanishes at any of its writes, just before or just after: the next one brings the turn to its end."""

from contextlib import suppress

import pytest

from sojourn.domain.events import ToolCompleted, ToolRequested, TurnCompleted
from sojourn.worker.execution import Execution, Folds
from tests.runners.acp.stage import Stage
from tests.support.clock import HandClock
from tests.worker.mortal import MortalTurns, Vanished
from tests.worker.workplace import until


# The link and the first call, the tool's request and start and result, and the end.
@pytest.mark.parametrize(("writes", "is_after"), [(1, False), (1, True), (2, True), (3, False)])
async def test_a_turn_is_brought_to_its_end_whenever_its_worker_vanishes(
    stage: Stage, clock: HandClock, writes: int, is_after: bool
) -> None:
    world = stage.world
    session = await stage.session()
    await world.send(session, "say before\nrun a\nsay after")
    lost = stage.runner()
    turns = MortalTurns(world, writes, is_after=is_after)
    with suppress(Vanished):
        await Execution(turns, {"acp": lost}, Folds()).execute(await world.claim(session))
    # Its program goes with it, as its guard sees to.
    await lost.close()
    turn = (await world.store.reads.list_turns(world.org, session, None, 1))[0]
    if turn.status.is_open:
        clock.advance(16)
        async with stage.working():
            await world.services.upkeep.tick()
            await until(world, session, "turn.completed")
    assert len(await world.said(session, TurnCompleted)) == 1
    requested = await world.said(session, ToolRequested)
    assert len({(one.call, one.index) for one in requested}) == len(requested)
    assert len(await world.said(session, ToolCompleted)) == len(requested)
    # What was told to the program once with a tool's call in it is not put again.
    # A session of the program's that the log never heard of was told nothing.
    ((first, *others),) = [told for told in stage.prompts(session) if told]
    assert first == "say before\nrun a\nsay after"
    assert all(other == first or other.startswith("You were interrupted") for other in others)
