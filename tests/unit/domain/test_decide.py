from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.actor import TIMEOUT
from sojourn.domain.agent import SPAWNING
from sojourn.domain.decide import decide
from sojourn.domain.draft import State
from sojourn.domain.errors import Conflict, RevisionMismatch, WrongState
from sojourn.domain.ids import SessionId, TurnId, uuid7
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.session import SessionStatus, activity
from sojourn.domain.turn import TurnStatus
from sojourn.domain.turning import MAX_FAULTS, MAX_STALLED
from tests.support.clock import START
from tests.support.model import Model
from tests.unit.domain.make import (
    SOMEBODY,
    a_budget,
    a_message,
    a_model,
    a_session,
    an_ask,
    answered,
    called,
    done,
    requested,
)
from tests.unit.domain.walk import Walk

LATER = START + timedelta(minutes=1)
CLAIM = c.ClaimTurn(worker="w", spawns=False, agent_version=1)
randoms = st.randoms(use_true_random=False)


def budget_commands() -> list[c.Command]:
    budget = a_budget()
    limit = budget.limit
    return [
        c.CreateBudget(budget=budget, by=SOMEBODY),
        c.ChangeBudget(budget=budget, limit=limit, soft_limit=None, metadata={}, by=SOMEBODY),
        c.ChargeBudget(budget=budget, amount=limit, by=SOMEBODY),
        c.TopUpBudget(budget=budget, amount=limit, by=SOMEBODY),
        c.ResumeBudgets(by=SOMEBODY),
        c.StopAtBudget(),
        c.LookAtBudgets(),
        c.TellOfBudget(budget=budget, word="exhausted"),
    ]


def every_command() -> dict[type, c.Command]:
    input = Model(a_session())
    input.apply(a_message(), START)
    received = next(iter(input.inputs.values()))
    turn = TurnId(uuid7())
    commands: list[c.Command] = [
        a_message(),
        c.EditInput(input=received, content=(), by=SOMEBODY),
        c.MoveInput(input=received, before=None, by=SOMEBODY),
        c.WithdrawInput(input=received, by=SOMEBODY),
        CLAIM,
        c.AppendEvents(events=()),
        c.SettleTurn(events=()),
        c.RetryTurn(events=(), error="e", retry_at=LATER),
        c.WaitTurn(events=(), asks=(an_ask(turn),), mode="parked"),
        c.DecideAsk(ask=an_ask(turn), decision="allow", by=SOMEBODY),
        c.DecideAsks(verdicts=(c.DecideAsk(ask=an_ask(turn), decision="allow", by=SOMEBODY),)),
        c.ReclaimTurn(cause="lease_expired"),
        c.CancelTurn(turn=turn, by=SOMEBODY),
        c.ReleaseChild(asked=received, by=SOMEBODY),
        c.EndSession(status="failed", by=SOMEBODY),
        c.ExpireSession(reason="idle"),
        c.ReopenSession(by=SOMEBODY),
        c.ExtendSession(until=LATER, by=SOMEBODY),
        c.TrimLog(),
        c.NoteActivity(active_at=LATER),
        c.UpdateSession(changes={}, by=SOMEBODY),
        c.ForkSession(parent=SessionId(uuid7()), at=1, by=SOMEBODY),
        c.ImportSession(origin=SessionId(uuid7()), at=1, head="0", by=SOMEBODY),
        c.RewindSession(to=1, by=SOMEBODY),
        c.ChangeFiles(changes=()),
        c.AttachPresence(holder="p"),
        c.ReleasePresence(holder="p"),
        *budget_commands(),
    ]
    return {type(command): command for command in commands}


def test_every_command_is_decided_or_refused_and_none_is_unknown() -> None:
    commands = every_command()
    assert set(commands) == set(c.Command.__args__)
    for command in commands.values():
        try:
            state = State(session=a_session())
            decision = decide(state, command, LATER)
        except Conflict:
            continue
        is_changed = bool(decision.events) or decision.session.active_at == LATER
        assert decision.session.updated_at == (LATER if is_changed else state.session.updated_at)


@pytest.mark.parametrize("runner", ["model", "acp"])
@given(random=randoms, steps=st.integers(1, 60))
def test_what_is_derived_is_derived_by_every_command(runner: RunnerKind, random: Random, steps: int) -> None:
    walk = Walk(random, runner=runner)
    for _ in range(steps):
        before = walk.model.session
        walk.step()
        model, session, turn = walk.model, walk.model.session, walk.model.turn
        status = None if turn is None else turn.status
        assert session.activity is activity(session.status, status, session.queued_inputs, session.presences)
        assert [entry.seq for entry in model.log] == list(range(1, session.next_seq))
        assert session.queued_inputs == len(model.queue())
        assert session.turns == len(model.turns)
        assert [one.id for one in model.turns.values() if one.status.is_open] == (
            [] if turn is None else [turn.id]
        )
        assert session.fence >= before.fence
        assert turn is None or turn.open_asks == sum(ask.status == "open" for ask in model.asks.values())


@pytest.mark.parametrize("runner", ["model", "acp"])
@given(random=randoms, steps=st.integers(1, 60))
def test_whoever_takes_a_turn_away_moves_the_fence(runner: RunnerKind, random: Random, steps: int) -> None:
    """A holder's fence is its own: between two claims, and from a forced stop on, it is another."""
    walk = Walk(random, runner=runner)
    for _ in range(steps):
        fence, held, turn = walk.model.session.fence, walk.model.is_held, walk.model.turn
        walk.step()
        was_taken = held and not walk.model.is_held
        is_same_turn = walk.model.turn is not None and turn is not None and walk.model.turn.id == turn.id
        if was_taken and is_same_turn:
            assert walk.model.session.fence > fence


def begun(text: str = "hello", **session: object) -> Model:
    """A session whose first turn is claimed."""
    model = a_model(**session)
    model.apply(a_message(text), START)
    model.apply(CLAIM, START)
    return model


def said(model: Model) -> list[str]:
    return [entry.type for entry in model.log]


def test_a_claim_delivers_the_input_and_announces_the_first_call() -> None:
    model = a_model()
    model.apply(a_message(), START)
    message = called().message
    first = c.FirstCall(model="sim/echo", message=message)
    model.apply(c.ClaimTurn(worker="w", spawns=False, agent_version=1, first_call=first), START)
    assert said(model)[-3:] == ["turn.started", "input.delivered", "model.called"]


def test_a_runner_that_spawns_something_starts_and_runs_from_its_first_append() -> None:
    assert {"acp", "http"} == SPAWNING
    model = a_model(runner="acp")
    model.apply(a_message(), START)
    model.apply(c.ClaimTurn(worker="w", spawns=True, agent_version=1), START)
    assert model.turn is not None
    assert model.turn.status is TurnStatus.STARTING
    model.apply(c.AppendEvents(events=(), intents=(called(),)), START)
    assert model.turn.status is TurnStatus.RUNNING


def test_a_turn_pins_the_agent_version_of_its_first_claim() -> None:
    model = begun()
    model.apply(c.ReclaimTurn(cause="lease_expired"), START)
    model.apply(c.ClaimTurn(worker="w", spawns=False, agent_version=2), START)
    assert model.turn is not None
    assert model.turn.agent_version == 1


def test_claims_without_a_sign_of_life_end_the_turn_and_the_next_begins() -> None:
    model = a_model()
    model.apply(a_message("deadly"), START)
    first = model.turn
    assert first is not None
    model.apply(a_message("next"), START)
    for _ in range(MAX_STALLED):
        model.apply(CLAIM, START)
        model.apply(c.ReclaimTurn(cause="lease_expired", unfinished=model.unfinished()), START)
    ended = model.turns[first.id]
    assert (ended.status, ended.reason) == (TurnStatus.FAILED, "no_progress")
    assert model.turn is not None
    assert model.turn.id != first.id


@pytest.mark.parametrize("sign", [answered(called()), (done(requested()),)])
def test_a_sign_of_life_begins_the_count_of_stalled_claims_anew(sign: tuple[e.RunnerEvent, ...]) -> None:
    model = a_model()
    model.apply(a_message(), START)
    for _ in range(MAX_STALLED * 2):
        model.apply(CLAIM, START)
        model.apply(c.AppendEvents(events=sign), START)
        model.apply(c.ReclaimTurn(cause="lease_expired"), START)
    assert model.turn is not None
    assert model.turn.status is TurnStatus.RETRYING


def test_a_worker_that_gives_its_turns_back_does_not_count_as_lost() -> None:
    model = a_model()
    model.apply(a_message(), START)
    for _ in range(MAX_STALLED * 2):
        model.apply(CLAIM, START)
        model.apply(c.ReclaimTurn(cause="worker_stopped"), START)
    assert model.turn is not None
    assert (model.turn.status, model.turn.stalled) == (TurnStatus.RETRYING, 0)


def test_too_many_faults_in_a_row_fail_the_turn() -> None:
    model = a_model()
    model.apply(a_message(), START)
    turn = model.turn
    assert turn is not None
    for fault in range(MAX_FAULTS + 1):
        assert model.turn is not None, fault
        model.apply(CLAIM, START)
        model.apply(c.RetryTurn(events=(), error="503", retry_at=LATER), START)
    ended = model.turns[turn.id]
    assert (ended.status, ended.reason, ended.error) == (TurnStatus.FAILED, "error", "503")


def test_a_retried_turn_waits_until_its_time_and_its_holder_is_out() -> None:
    model = begun()
    fence = model.session.fence
    model.apply(c.RetryTurn(events=(), error="503", retry_at=LATER), START)
    assert model.turn is not None
    assert (model.turn.status, model.turn.not_before) == (TurnStatus.RETRYING, LATER)
    assert model.session.fence == fence + 1
    assert not model.is_held


def test_a_parked_turn_is_queued_by_its_last_decision() -> None:
    model = begun()
    assert model.turn is not None
    asks = (an_ask(model.turn.id), an_ask(model.turn.id))
    model.apply(c.WaitTurn(events=(), asks=asks, mode="parked"), START)
    model.apply(c.DecideAsk(ask=asks[0], decision="deny", by=SOMEBODY), START)
    assert model.turn.status is TurnStatus.WAITING
    model.apply(c.DecideAsk(ask=asks[1], decision="allow", by=SOMEBODY), START)
    assert (model.turn.status, model.turn.parked) == (TurnStatus.QUEUED, False)
    assert said(model)[-3:] == ["ask.decided", "ask.decided", "turn.resumed"]


def test_a_held_turn_runs_on_from_its_last_decision() -> None:
    model = begun()
    assert model.turn is not None
    ask = an_ask(model.turn.id)
    model.apply(c.WaitTurn(events=(), asks=(ask,), mode="held"), START)
    assert model.is_held
    model.apply(c.DecideAsk(ask=ask, decision="allow", by=SOMEBODY), START)
    assert model.turn.status is TurnStatus.RUNNING


def test_a_wait_for_nothing_is_refused_as_nobody_would_end_it() -> None:
    model = begun()
    with pytest.raises(WrongState, match="wait for nothing"):
        model.apply(c.WaitTurn(events=(), asks=(), mode="parked"), START)


def test_the_asks_of_a_lost_worker_are_still_waited_for() -> None:
    model = begun()
    assert model.turn is not None
    lost, asked = an_ask(model.turn.id), an_ask(model.turn.id)
    model.apply(c.WaitTurn(events=(), asks=(lost,), mode="held"), START)
    model.apply(c.ReclaimTurn(cause="lease_expired"), START)
    model.apply(CLAIM, START)
    model.apply(c.WaitTurn(events=(), asks=(asked,), mode="parked"), START)
    model.apply(c.DecideAsk(ask=asked, decision="allow", by=SOMEBODY), START)
    assert model.turn.status is TurnStatus.WAITING
    model.apply(c.DecideAsk(ask=lost, decision="allow", by=SOMEBODY), START)
    assert model.turn.status is TurnStatus.QUEUED


def test_an_ask_is_decided_once_and_only_while_its_turn_is_open() -> None:
    model = begun()
    assert model.turn is not None
    ask = an_ask(model.turn.id)
    model.apply(c.WaitTurn(events=(), asks=(ask,), mode="parked"), START)
    decision = c.DecideAsk(ask=ask, decision="allow", by=SOMEBODY)
    model.apply(c.CancelTurn(turn=model.turn.id, by=SOMEBODY), START)
    with pytest.raises(WrongState):
        model.apply(decision, START)
    assert model.asks[ask.id].status == "void"


def test_an_interrupt_stops_the_open_turn_and_goes_first() -> None:
    model = begun()
    stopped = model.turn
    assert stopped is not None
    model.apply(a_message("later"), START)
    urgent = a_message("now", "interrupt")
    model.apply(urgent, START)
    assert model.turns[stopped.id].reason == "interrupted"
    assert model.turn is not None
    assert model.turn.id == urgent.turn
    assert model.session.queued_inputs == 1


def test_a_steer_that_no_call_took_up_begins_the_next_turn() -> None:
    model = begun()
    steer = a_message("also", "steer")
    model.apply(steer, START)
    model.apply(c.SettleTurn(events=()), START)
    assert model.turn is not None
    assert model.turn.id == steer.turn


def test_a_stopped_turn_that_nobody_claimed_takes_its_input_with_it() -> None:
    model = a_model()
    message = a_message()
    model.apply(message, START)
    model.apply(c.CancelTurn(turn=message.turn, by=SOMEBODY), START)
    assert model.inputs[message.input].status == "withdrawn"
    assert model.turn is None


def test_withdrawing_the_head_begins_the_next_input() -> None:
    model = a_model()
    first, second = a_message(), a_message()
    model.apply(first, START)
    model.apply(second, START)
    model.apply(c.WithdrawInput(input=model.inputs[first.input], by=SOMEBODY), START)
    assert model.turns[first.turn].reason == "superseded"
    assert model.turn is not None
    assert model.turn.id == second.turn
    assert model.session.queued_inputs == 0


def test_a_delivered_input_is_neither_edited_nor_withdrawn() -> None:
    model = begun()
    (input,) = model.inputs.values()
    for command in (
        c.EditInput(input=input, content=(), by=SOMEBODY),
        c.WithdrawInput(input=input, by=SOMEBODY),
    ):
        with pytest.raises(WrongState):
            model.apply(command, START)


def test_a_change_that_expects_another_revision_is_refused() -> None:
    model = a_model()
    model.apply(a_message(), START)
    (input,) = model.inputs.values()
    stale: list[c.Command] = [
        c.UpdateSession(changes={}, by=SOMEBODY, expected_revision=1),
        c.EditInput(input=input, content=(), by=SOMEBODY, expected_revision=1),
        c.WithdrawInput(input=input, by=SOMEBODY, expected_revision=1),
    ]
    for command in stale:
        with pytest.raises(RevisionMismatch):
            model.apply(command, START)


def test_ending_settles_the_turn_and_withdraws_the_queue_and_says_so() -> None:
    model = begun()
    model.apply(a_message(), START)
    model.apply(c.AttachPresence(holder="p"), START)
    queued = tuple(model.queue())
    model.apply(c.EndSession(status="completed", by=SOMEBODY, queued=queued), LATER)
    session = model.session
    assert said(model)[-3:] == ["turn.cancelled", "input.withdrawn", "session.ended"]
    assert (session.status, session.open_turn) == (SessionStatus.COMPLETED, None)
    assert (session.queued_inputs, session.presences, session.ended_at) == (0, 0, LATER)
    with pytest.raises(WrongState):
        model.apply(c.EndSession(status="failed", by=SOMEBODY), LATER)


def test_an_expiry_is_decided_by_time_and_the_log_says_so() -> None:
    model = begun()
    model.apply(c.ExpireSession(reason="lifetime"), LATER)
    cancelled, expired = (entry.event for entry in model.log[-2:])
    assert isinstance(cancelled, e.TurnCancelled)
    assert isinstance(expired, e.SessionExpired)
    assert (cancelled.by, cancelled.reason, expired.by) == (TIMEOUT, "expired", TIMEOUT)
    assert model.session.status is SessionStatus.EXPIRED


def test_a_message_reopens_an_ended_session_and_arms_its_deadlines_anew() -> None:
    model = a_model()
    model.apply(c.EndSession(status="failed", by=SOMEBODY, reason="why"), START)
    model.apply(a_message(), LATER)
    session = model.session
    assert said(model)[-3:] == ["session.reopened", "input.received", "turn.queued"]
    assert (session.status, session.ended_at, session.end_reason) == (SessionStatus.OPEN, None, None)
    assert session.opened_at == LATER


def test_an_archived_session_refuses_inputs_until_it_is_taken_out() -> None:
    model = a_model()
    model.apply(c.UpdateSession(changes={}, by=SOMEBODY, archived=True), START)
    with pytest.raises(WrongState, match="archived"):
        model.apply(a_message(), START)
    model.apply(c.UpdateSession(changes={}, by=SOMEBODY, archived=False), START)
    model.apply(a_message(), START)


def test_a_session_that_is_driven_elsewhere_starts_no_turn_until_it_is_let_go() -> None:
    model = a_model()
    model.apply(c.AttachPresence(holder="p"), START)
    message = a_message()
    model.apply(message, START)
    assert (model.turn, model.session.queued_inputs) == (None, 1)
    model.apply(c.ReleasePresence(holder="p", by=SOMEBODY), START)
    assert model.turn is not None
    assert (model.turn.id, model.session.queued_inputs) == (message.turn, 0)


def test_a_client_update_is_no_activity() -> None:
    model = a_model()
    model.apply(c.UpdateSession(changes={"title": "x"}, by=SOMEBODY), LATER)
    assert (model.session.active_at, model.session.updated_at) == (START, LATER)


def test_an_end_is_no_activity() -> None:
    for end in (c.EndSession(status="completed", by=SOMEBODY), c.ExpireSession(reason="idle")):
        model = a_model()
        model.apply(end, LATER)
        assert (model.session.active_at, model.session.ended_at) == (START, LATER)


def test_what_a_reclaimed_turn_left_open_is_still_open_for_its_next_holder() -> None:
    model = begun()
    tool = requested()
    call = called()
    model.apply(c.AppendEvents(events=(), intents=(call,)), START)
    model.apply(c.AppendEvents(events=(*answered(call), tool)), START)
    model.apply(c.ReclaimTurn(cause="lease_expired", unfinished=model.unfinished()), START)
    assert model.unfinished().tools == (tool,)
