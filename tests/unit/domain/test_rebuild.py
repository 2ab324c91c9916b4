from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.ask import Ask
from sojourn.domain.fold import UnknownEventType
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.log import LogEntry
from sojourn.domain.rebuild import REBUILT_FROM, Rebuild, Settled
from sojourn.domain.turn import Turn
from tests.support.clock import START
from tests.support.model import Model
from tests.unit.domain.walk import Walk

randoms = st.randoms(use_true_random=False)


class Told:
    """A log as it grows, taken in entry by entry, each with the instant of its step."""

    def __init__(self, runner: RunnerKind) -> None:
        self.rebuild = Rebuild(runner)
        self.settled = Settled()
        self._seq = 0

    def go_on(self, model: Model, now: datetime) -> None:
        for entry in model.log[self._seq :]:
            if entry.type in REBUILT_FROM:
                self.rebuild.apply(entry, now)
        self._seq = len(model.log)
        more = self.rebuild.take_settled()
        self.settled.turns += more.turns
        self.settled.inputs += more.inputs
        self.settled.asks += more.asks


def closed(turn: Turn) -> Turn:
    """Without what no log tells of a turn that is over."""
    return replace(turn, stalled=0, faults=0)


def asked(ask: Ask) -> Ask:
    """Without what only matters while the ask is open."""
    return replace(ask, on_expire="deny")


@pytest.mark.parametrize("runner", ["model", "acp"])
@given(random=randoms, steps=st.integers(1, 60))
def test_the_rows_that_a_log_tells_of_are_those_that_were_decided(
    runner: RunnerKind, random: Random, steps: int
) -> None:
    walk, told = Walk(random, runner=runner), Told(runner)
    told.go_on(walk.model, START)
    for _ in range(steps):
        walk.step()
        told.go_on(walk.model, walk.now)
        model, rebuild, settled = walk.model, told.rebuild, told.settled
        inputs = {input.id: input for input in (*settled.inputs, *rebuild.waiting.values())}
        assert inputs == model.inputs
        assert set(rebuild.waiting) == {id for id, input in model.inputs.items() if input.status == "queued"}
        over = {id: closed(turn) for id, turn in model.turns.items() if not turn.status.is_open}
        assert {turn.id: turn for turn in settled.turns} == over
        assert rebuild.turns == len(model.turns)
        assert (rebuild.turn is None) == (model.turn is None)
        if rebuild.turn is not None and model.turn is not None:
            known = (rebuild.turn.id, rebuild.turn.input, rebuild.turn.attempt, rebuild.turn.worker)
            assert known == (model.turn.id, model.turn.input, model.turn.attempt, model.turn.worker)
        asks = {ask.id: asked(ask) for ask in (*settled.asks, *rebuild.asks.values())}
        assert asks == {id: asked(ask) for id, ask in model.asks.items()}


def test_what_a_later_release_wrote_is_not_guessed() -> None:
    with pytest.raises(UnknownEventType):
        Rebuild("model").apply(LogEntry(3, None, "turn.queued", None), START)
