"""Passing faults: another try, later and later, and an end."""

from collections.abc import Sequence

import pytest

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.events import (
    MessageAbandoned,
    ModelCalled,
    RunnerEvent,
    TurnFailed,
    TurnReclaimed,
    TurnRetried,
)
from sojourn.domain.kinds import Outcome
from sojourn.ports.endings import Faulted
from sojourn.ports.turns import ClaimedTurn, Ready
from sojourn.runners.model.client import FatalModelError, TransientModelError
from tests.support.world import World
from tests.worker.late import LateAnswers
from tests.worker.model import ScriptedModel, calls, fails, says
from tests.worker.tools import prints
from tests.worker.workplace import execution, model_runner, new_session, results, until, working

BUSY = fails(TransientModelError("The provider is overloaded."))


async def test_each_passing_fault_is_retried_after_a_longer_wait_and_the_last_one_fails_the_turn(
    world: World,
) -> None:
    session = await world.new_session()
    await world.send(session)
    worker = execution(world, model_runner(ScriptedModel(BUSY)))
    delays: list[float] = []
    for _ in range(6):
        ending = await worker.execute(await world.claim(session))
        assert isinstance(ending, Faulted)
        delays.append(ending.delay_seconds)
        # Not before its time: the store refuses the claim, whoever asks.
        assert await world.services.turns.claim(Ready(world.org, session), "eager", ("model",)) is None
        world.clock.advance(ending.delay_seconds)
    assert [0.5 * 2**fault / 2 <= delay <= 0.5 * 2**fault for fault, delay in enumerate(delays)] == [True] * 6
    assert [retried.fault for retried in await world.said(session, TurnRetried)] == [1, 2, 3, 4, 5]
    [failed] = await world.said(session, TurnFailed)
    assert (failed.reason, failed.error) == ("error", "The provider is overloaded.")
    assert (
        len(await world.said(session, MessageAbandoned)) == len(await world.said(session, ModelCalled)) == 6
    )


async def test_a_worker_tries_again_by_itself_when_the_provider_s_wait_is_over(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    limited = fails(TransientModelError("Slow down.", retry_after_seconds=0.0))
    model = ScriptedModel(limited, limited, says("at last"))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.completed")
    assert [request.faults for request in model.requests] == [0, 1, 2]
    assert [request.call for request in model.requests] == [1, 1, 1]
    assert [message.text for message in model.requests[-1].messages] == ["hello"]


async def test_an_answer_ends_a_row_of_faults(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    limited = fails(TransientModelError("Slow down.", retry_after_seconds=0.0))
    model = ScriptedModel(*[limited] * 4, calls("quick"), *[limited] * 4, says("done"))
    async with working(world, model_runner(model, [prints("quick", "ran")])):
        await until(world, session, "turn.completed")
    assert [retried.fault for retried in await world.said(session, TurnRetried)] == [1, 2, 3, 4] * 2
    # What was done before the faults is not done again.
    assert await results(world, session) == {(1, 0): "done"}


async def test_a_fault_that_another_try_would_not_mend_fails_the_turn_at_once(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    model = ScriptedModel(fails(FatalModelError("The key is not valid.")))
    async with working(world, model_runner(model)):
        await until(world, session, "turn.failed")
    [failed] = await world.said(session, TurnFailed)
    assert (failed.error, len(model.requests)) == ("The key is not valid.", 1)
    assert await world.said(session, TurnRetried) == []


class Unwritable(LateAnswers):
    """The store refuses the first writes of a turn, and the first attempt to give it back."""

    refusals = 2

    def _refuse(self) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable

    async def settle(
        self,
        turn: ClaimedTurn,
        events: Sequence[RunnerEvent],
        reason: Outcome = "end_turn",
        error: str | None = None,
    ) -> None:
        self._refuse()
        await super().settle(turn, events, reason, error)

    async def give_back(self, turn: ClaimedTurn) -> None:
        self._refuse()
        await super().give_back(turn)


async def test_a_turn_that_the_store_refused_is_given_back_as_soon_as_it_can_be_and_runs_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sojourn.worker.execution.STORE_RETRY_SECONDS", 0.01)
    caplog.set_level("CRITICAL", "sojourn.worker.loop")
    session = await world.new_session()
    await world.send(session)
    turns = Unwritable(world, "settle")
    turns.arrive.set()
    async with working(world, model_runner(ScriptedModel(says("hello"))), turns=turns):
        await until(world, session, "turn.completed")
    assert turns.refusals == 0
    assert [one.cause for one in await world.said(session, TurnReclaimed)] == ["worker_stopped"]
