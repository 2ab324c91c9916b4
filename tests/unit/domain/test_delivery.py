"""The table of deliveries: every row of it, on a session that is at that point."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, get_args

import pytest

from sojourn.domain import commands as c
from sojourn.domain.delivery import EFFECTS, Effect, Standing, standing
from sojourn.domain.events import AskDecided
from sojourn.domain.kinds import Delivery
from sojourn.domain.session import Activity
from sojourn.domain.turn import TurnStatus
from tests.support.clock import START
from tests.support.model import Model
from tests.unit.domain.make import SOMEBODY, a_message, a_model, an_ask


def driven() -> Model:
    model = a_model()
    model.apply(c.AttachPresence(holder="laptop"), START)
    return model


def running() -> Model:
    model = a_model()
    model.apply(a_message("first"), START)
    model.apply(c.ClaimTurn(worker="w", spawns=False, agent_version=1), START)
    return model


def held() -> Model:
    model = running()
    assert model.turn is not None
    model.apply(c.WaitTurn(events=(), asks=(an_ask(model.turn.id),), mode="held"), START)
    return model


def parked() -> Model:
    model = running()
    assert model.turn is not None
    asks = (an_ask(model.turn.id), an_ask(model.turn.id))
    model.apply(c.WaitTurn(events=(), asks=asks, mode="parked"), START)
    return model


def paused() -> Model:
    """As budgets leave a turn that may call no model for now."""
    model = running()
    assert model.turn is not None
    model.turns[model.turn.id] = replace(model.turn, status=TurnStatus.WAITING, parked=True)
    model.session = replace(model.session, activity=Activity.WAITING)
    model.is_held = False
    return model


AT: Final[dict[Standing, Callable[[], Model]]] = {
    Standing.IDLE: a_model,
    Standing.DRIVEN: driven,
    Standing.OPEN: running,
    Standing.HELD: held,
    Standing.PARKED: parked,
    Standing.PAUSED: paused,
}


def test_the_table_says_what_becomes_of_every_delivery_wherever_a_session_stands() -> None:
    assert set(EFFECTS) == {(delivery, at) for delivery in get_args(Delivery) for at in Standing}


@pytest.mark.parametrize(("delivery", "at"), list(EFFECTS))
def test_an_input_does_what_its_row_of_the_table_says(delivery: Delivery, at: Standing) -> None:
    model = AT[at]()
    assert standing(model.turn, model.session.presences) is at
    before = model.turn
    received = a_message("then", delivery)
    command = c.ReceiveInput(
        input=received.input,
        turn=received.turn,
        kind="message",
        delivery=delivery,
        content=received.content,
        by=SOMEBODY,
        unfinished=model.unfinished(),
        asks=model.dismissed_by(delivery),
    )
    model.apply(command, START)
    decided = [entry.event for entry in model.log if isinstance(entry.event, AskDecided)]
    # Whatever becomes of the turn, nobody is asked anything on account of a turn that is over.
    waits = [ask.status for ask in model.asks.values() if ask.status == "open"]
    match EFFECTS[delivery, at]:
        case Effect.START:
            assert model.session.open_turn == received.turn
        case Effect.FOLLOW | Effect.STEER:
            assert model.turn == before
            assert (model.session.queued_inputs, decided) == (1, [])
            steers = [input.id for input in model.queue(steers_only=True)]
            assert steers == ([received.input] if delivery == "steer" else [])
        case Effect.DISMISS:
            assert before is not None
            assert model.session.open_turn == before.id
            assert model.turns[before.id].status is TurnStatus.QUEUED
            assert [(one.decision, one.by) for one in decided] == [("deny", SOMEBODY)] * before.open_asks
            assert (waits, [input.id for input in model.queue(steers_only=True)]) == ([], [received.input])
        case Effect.REPLACE:
            assert before is not None
            assert model.turns[before.id].status is TurnStatus.CANCELLED
            assert (model.session.open_turn, decided, waits) == (received.turn, [], [])
