"""Answers that are no end of a turn: it waits, is stopped, or never begins here."""

import asyncio
from decimal import Decimal

import httpx2
import pytest

from sojourn.domain import events as e
from sojourn.domain.ask import NewAsk
from sojourn.domain.ids import AskId, MessageId, uuid7
from sojourn.domain.policy import Policy
from sojourn.service.asks import Verdict
from sojourn.service.budgets import BudgetChange, NewBudget
from sojourn.service.sessions import NewSession, SessionChange
from tests.contract.agentcore.hands import Hands
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import ID, STREAM, AgentCore, as_answer, as_failure, as_lines
from tests.support.world import SOMEBODY, World

REPEATED = {"idempotency-key": "k"}


def asking(by_hand: AgentCore, payload: str = "hello", **headers: str) -> asyncio.Task[httpx2.Response]:
    return asyncio.create_task(by_hand.invoke(payload, headers=headers))


def tool(call: int) -> tuple[e.RunnerEvent, ...]:
    """A tool that the model called and that has answered."""
    return (
        e.ToolRequested(call=call, index=0, id="t", name="clock", arguments="{}"),
        e.ToolStarted(call=call, index=0),
        e.ToolCompleted(call=call, index=0, id="t", name="clock", status="done", output="noon"),
    )


def next_call(call: int) -> e.ModelCalled:
    return e.ModelCalled(call=call, model="m", message=MessageId(uuid7()))


@covers("invoke.messages")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_the_messages_of_a_turn_are_one_answer(by_hand: AgentCore, hands: Hands, accept: str) -> None:
    asked = asking(by_hand, accept=accept)
    turn = await hands.claim()
    await hands.say(turn, "I look.", then=(*tool(1), next_call(2)))
    await hands.say(turn, "", then=(*tool(2), next_call(3)))
    await hands.preview(turn, 0, "It is ")
    await hands.finish(turn, "It is noon.")
    said = ["I look.", "\n\nIt is ", "noon."]
    if accept == "application/json":
        assert as_answer(await asked) == {"result": "".join(said)}
    else:
        assert as_lines(await asked) == said


@covers("invoke.waits")
async def test_a_turn_that_waits_is_answered_with_what_was_said_and_what_it_waits_for(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    asked = asking(by_hand, **REPEATED)
    turn = await hands.claim()
    await hands.say(turn, "I would like to.")
    ask = await hands.park(turn)
    waiting = [{"askId": str(ask), "kind": "approval", "prompt": {"text": "May I?"}}]
    assert as_answer(await asked) == {"result": "I would like to.", "waiting": waiting}
    world.clock.advance(10)
    await world.services.upkeep.tick()
    again = asking(by_hand, **REPEATED)
    resumed = await hands.claim()
    await world.services.turns.append(resumed, [next_call(2)])
    await hands.finish(resumed, "Then not.")
    assert as_answer(await again) == {"result": "I would like to.\n\nThen not."}


@covers("invoke.waits", "invoke.stopped")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_repetition_after_a_wait_that_was_broken_off_hears_of_that(
    by_hand: AgentCore, world: World, hands: Hands, accept: str
) -> None:
    asked = asking(by_hand, **REPEATED)
    turn = await hands.claim()
    await hands.park(turn)
    assert as_answer(await asked)["waiting"]
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    again = await by_hand.invoke(headers={"accept": accept} | REPEATED)
    as_failure(again, "RuntimeClientError")


@covers("stream.waits")
async def test_a_stream_of_a_turn_that_waits_ends_with_what_it_waits_for(
    by_hand: AgentCore, hands: Hands
) -> None:
    asked = asking(by_hand, **STREAM)
    turn = await hands.claim()
    await hands.say(turn, "I would like to.")
    ask = await hands.park(turn)
    waiting = [{"askId": str(ask), "kind": "approval", "prompt": {"text": "May I?"}}]
    assert as_lines(await asked) == ["I would like to.", {"waiting": waiting}]


@covers("invoke.held-up")
async def test_an_invocation_behind_a_turn_that_waits_is_kept_and_told_so(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    first = asking(by_hand)
    turn = await hands.claim()
    ask = await hands.park(turn)
    await first
    waiting = [{"askId": str(ask), "kind": "approval", "prompt": {"text": "May I?"}}]
    assert as_answer(await by_hand.invoke("second")) == {"result": "", "waiting": waiting}
    assert as_lines(await by_hand.invoke("third", headers=STREAM)) == [{"waiting": waiting}]
    assert (await by_hand.record()).session.queued_inputs == 2
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    second = await hands.claim()
    assert (await world.conversation(turn.session)).messages[-1].text == "second"
    assert second.session == turn.session


@covers("invoke.held-up")
async def test_an_invocation_of_a_session_that_is_driven_elsewhere_is_kept_and_told_so(
    by_hand: AgentCore, world: World
) -> None:
    await world.new_session(NewSession(alias=ID, driver="laptop"))
    assert as_answer(await by_hand.invoke()) == {"result": "", "waiting": []}
    assert as_lines(await by_hand.invoke(headers=STREAM)) == [{"waiting": []}]
    assert (await by_hand.record()).session.queued_inputs == 2


@covers("invoke.waits", "invoke.failed")
async def test_a_turn_that_waits_for_a_budget_says_so_and_one_that_has_none_left_fails(
    agentcore: AgentCore,
) -> None:
    """There is a worker: a budget is asked when it claims the turn."""
    await agentcore.said()
    budgets, id = agentcore.services.budgets, (await agentcore.record()).session.id
    new = NewBudget(currency="tokens", limit=Decimal(100))
    budget = (await budgets.create(agentcore.org, id, new, SOMEBODY)).value
    await budgets.change(agentcore.org, budget.id, BudgetChange(status="paused"), SOMEBODY)
    assert as_answer(await agentcore.invoke(headers=REPEATED)) == {"result": "", "waiting": []}
    assert as_lines(await agentcore.invoke("behind", headers=STREAM)) == [{"waiting": []}]
    await budgets.resume(agentcore.org, id, SOMEBODY)
    assert as_answer(await agentcore.invoke(headers=REPEATED)) == {"result": "echo: hello"}
    await budgets.change(agentcore.org, budget.id, BudgetChange(limit=Decimal("0.1")), SOMEBODY)
    as_failure(await agentcore.invoke("none left"), "RuntimeClientError")


@covers("invoke.stopped", "stop.streams")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_stop_ends_the_answers_of_what_runs_and_of_what_waits_in_line(
    by_hand: AgentCore, hands: Hands, accept: str
) -> None:
    running = asking(by_hand, accept=accept)
    turn = await hands.claim()
    queued = asking(by_hand, accept=accept)
    await hands.until_received(turn.session, 2)
    await hands.say(turn, "So far")
    assert (await by_hand.stop()).status_code == 200
    as_failure(await queued, "RuntimeClientError")
    if accept == "application/json":
        as_failure(await running, "RuntimeClientError")
    else:
        text, failure = as_lines(await running)
        assert (text, failure["error_type"]) == ("So far", "RuntimeClientError")


@covers("invoke.stopped")
async def test_an_input_that_is_withdrawn_is_told_to_its_sender(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    asked = asking(by_hand)
    turn = await hands.claim()
    second = asking(by_hand)
    await hands.until_received(turn.session, 2)
    id = turn.session
    [input] = await world.services.inputs.list(world.org, id, "queued", 0, 10)
    await world.services.inputs.withdraw(world.org, id, input.id, SOMEBODY)
    as_failure(await second, "RuntimeClientError")
    await world.services.sessions.delete(world.org, id, SOMEBODY)
    as_failure(await asked, "ResourceNotFoundException")


@covers("error.stops")
async def test_a_server_that_stops_asks_for_a_repetition(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    whole, stream = asking(by_hand), asking(by_hand, **STREAM)
    turn = await hands.claim()
    await hands.preview(turn, 0, "So")
    world.services.hub.close()
    as_failure(await whole, "InternalServerException")
    as_failure(await stream, "InternalServerException")


@covers("stream.abandoned")
async def test_what_was_streamed_of_a_lost_message_is_voided(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    asked = asking(by_hand, **STREAM)
    turn = await hands.claim()
    await hands.say(turn, "I look.", then=(*tool(1), next_call(2)))
    lost = await hands.calling(turn)
    await hands.preview(turn, 0, "It is ")
    await hands.preview(turn, 6, "mid")
    # This one was lost on its way.
    await hands.preview(turn, 12, "t.")
    void = e.MessageAbandoned(message=lost.message, call=2)
    await world.services.turns.append(turn, [void, next_call(2)])
    await hands.finish(turn, "It is noon.")
    said = as_lines(await asked)
    assert said == ["I look.", "\n\nIt is ", "mid", {"abandoned": 11}, "\n\nIt is noon."]


@covers("stream.failure", "stream.refused")
async def test_a_turn_that_fails_after_its_first_word_ends_the_stream_with_an_error(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    asked = asking(by_hand, **STREAM)
    turn = await hands.claim()
    await hands.say(turn, "So far")
    await world.services.turns.settle(turn, [], error="It broke.", reason="error")
    failure = {
        "error": "It broke.",
        "error_type": "RuntimeClientError",
        "message": "An error occurred during streaming",
    }
    assert as_lines(await asked) == ["So far", failure]
    asked = asking(by_hand, **STREAM)
    turn = await hands.claim()
    await world.services.turns.settle(turn, [], error="It broke again.", reason="error")
    assert as_failure(await asked, "RuntimeClientError")["message"] == "It broke again."


@covers("invoke.child")
@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_turn_that_waits_for_a_session_it_has_started_is_waited_for(
    by_hand: AgentCore, world: World, hands: Hands, accept: str
) -> None:
    asked = asking(by_hand, accept=accept)
    turn = await hands.claim()
    await hands.say(turn, "I have it done.")
    ask = NewAsk(id=AskId(uuid7()), kind="session", prompt={"message": "hello"})
    await world.services.turns.wait(turn, [], [ask], "parked")
    behind = asking(by_hand, "And then?")
    await hands.until_received(turn.session, 2)
    await world.services.asks.decide(world.org, turn.session, ask.id, Verdict("deny"), SOMEBODY)
    resumed = await hands.claim()
    await world.services.turns.append(resumed, [next_call(2)])
    await hands.finish(resumed, "It is done.")
    said = ["I have it done.", "\n\nIt is done."]
    read = as_lines if accept == "text/event-stream" else as_answer
    assert read(await asked) == (said if read is as_lines else {"result": "".join(said)})
    await hands.finish(await hands.claim(), "That was all.")
    assert as_answer(await behind) == {"result": "That was all."}


@covers("invoke.cut")
async def test_a_repetition_of_a_call_that_was_cut_from_the_log_is_not_found(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    asked = asking(by_hand, **REPEATED)
    turn = await hands.claim()
    await hands.finish(turn, "It is noon.")
    assert as_answer(await asked) == {"result": "It is noon."}
    change = SessionChange(policy=Policy(retain_log_seconds=60))
    await world.services.sessions.update(world.org, turn.session, change, SOMEBODY)
    await world.services.sessions.end(world.org, turn.session, "completed", None, SOMEBODY)
    world.clock.advance(60)
    await world.services.upkeep.tick()
    assert (await world.record(turn.session)).first_seq > 1
    as_failure(await asking(by_hand, **REPEATED), "ResourceNotFoundException")
    as_failure(await asking(by_hand, "once more"), "ConflictException")
