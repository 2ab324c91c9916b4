"""Asks of a parked turn: read, decided one by one or together, and overtaken by messages."""

import pytest

from sojourn.domain.ask import Ask, NewAsk, prompt_of
from sojourn.domain.errors import IdempotencyMismatch, InvalidRequest, NotFound, WrongState
from sojourn.domain.events import AskDecided, ToolRequested
from sojourn.domain.ids import AskId, KeyId, OrgId, TurnId, uuid7
from sojourn.domain.kinds import AskKind
from sojourn.domain.session import Activity
from sojourn.domain.turn import TurnStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.asks import Verdict
from sojourn.service.results import Repeat
from tests.service.test_deliveries import answer
from tests.support.world import SOMEBODY, World

YES = Verdict("answer", "yes")


def asking(tool: ToolRequested, kind: AskKind = "client_tool") -> NewAsk:
    return NewAsk(id=AskId(uuid7()), kind=kind, prompt=prompt_of(tool, {}))


async def park(world: World, count: int = 2, kind: AskKind = "client_tool") -> ClaimedTurn:
    """A turn that waits for `count` asks, about the tool calls `t0`, `t1` and so on."""
    turn = await world.claimed()
    tools = [ToolRequested(call=1, index=n, id=f"t{n}", name="look", arguments="{}") for n in range(count)]
    events = (*await answer(world, turn), *tools)
    await world.services.turns.wait(turn, events, [asking(tool, kind) for tool in tools], "parked")
    return turn


async def asks_of(world: World, turn: ClaimedTurn, open_only: bool = True) -> list[Ask]:
    return [*await world.services.asks.list(world.org, turn.session, open_only, None, 100)]


async def turn_status(world: World, turn: ClaimedTurn) -> TurnStatus:
    return (await world.services.turns.get(world.org, turn.session, turn.turn)).status


async def test_a_turn_resumes_with_the_last_of_its_decisions(world: World) -> None:
    turn = await park(world)
    first, second = await asks_of(world, turn)
    asks = world.services.asks
    decided = await asks.decide(world.org, turn.session, first.id, YES, SOMEBODY)
    assert (decided.value.status, decided.replayed) == ("decided", False)
    assert await turn_status(world, turn) is TurnStatus.WAITING
    assert await asks_of(world, turn) == [second]
    await asks.decide(world.org, turn.session, second.id, Verdict("deny"), SOMEBODY)
    assert await turn_status(world, turn) is TurnStatus.QUEUED
    assert await asks_of(world, turn) == []
    assert [ask.id for ask in await asks_of(world, turn, open_only=False)] == [first.id, second.id]
    said = [(one.ask, one.decision, one.answer, one.by) for one in await world.said(turn.session, AskDecided)]
    assert said == [(first.id, "answer", "yes", SOMEBODY), (second.id, "deny", None, SOMEBODY)]
    assert await world.problems() == []


async def test_asks_are_listed_in_pages_in_the_order_in_which_they_were_opened(world: World) -> None:
    turn = await park(world, 5)
    every = await asks_of(world, turn)
    asks = world.services.asks
    page = await asks.list(world.org, turn.session, True, every[1].id, 2)
    assert [ask.id for ask in page] == [every[2].id, every[3].id]
    await asks.decide(world.org, turn.session, every[2].id, YES, SOMEBODY)
    page = await asks.list(world.org, turn.session, True, every[1].id, 2)
    assert [ask.id for ask in page] == [every[3].id, every[4].id]


async def test_an_ask_is_decided_once(world: World) -> None:
    turn = await park(world)
    ask, _ = await asks_of(world, turn)
    asks = world.services.asks
    await asks.decide(world.org, turn.session, ask.id, YES, SOMEBODY)
    head = (await world.record(turn.session)).session.next_seq
    with pytest.raises(WrongState, match="decided"):
        await asks.decide(world.org, turn.session, ask.id, YES, SOMEBODY)
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    void = (await asks_of(world, turn, open_only=False))[1]
    with pytest.raises(WrongState, match="void"):
        await asks.decide(world.org, turn.session, void.id, YES, SOMEBODY)
    assert (await world.types(turn.session))[head - 1 :].count("ask.decided") == 0
    assert await world.problems() == []


async def test_a_repeated_decision_is_answered_as_before_and_changes_nothing(world: World) -> None:
    turn = await park(world)
    first, second = await asks_of(world, turn)
    asks, key = world.services.asks, KeyId(uuid7())
    repeat = Repeat(key, "decide", "once", b"hash")
    for replayed in (False, True):
        result = await asks.decide(world.org, turn.session, first.id, YES, SOMEBODY, repeat)
        assert (result.value.id, result.value.status, result.replayed) == (first.id, "decided", replayed)
    other = Repeat(key, "decide", "once", b"another")
    with pytest.raises(IdempotencyMismatch):
        await asks.decide(world.org, turn.session, second.id, YES, SOMEBODY, other)
    several = Repeat(key, "decide several", "once", b"hash")
    for replayed in (False, True):
        many = await asks.decide_calls(world.org, turn.session, {"t1": YES}, SOMEBODY, several)
        assert ([ask.id for ask in many.value], many.replayed) == ([second.id], replayed)
    assert len(await world.said(turn.session, AskDecided)) == 2


async def test_several_are_decided_by_their_calls_and_the_others_stay_open(world: World) -> None:
    turn = await park(world, 3)
    asks = world.services.asks
    verdicts = {"t2": YES, "t0": Verdict("answer", {"error": "no"})}
    decided = await asks.decide_calls(world.org, turn.session, verdicts, SOMEBODY)
    assert [ask.prompt["tool_call_id"] for ask in decided.value] == ["t2", "t0"]
    assert await turn_status(world, turn) is TurnStatus.WAITING
    await asks.decide_calls(world.org, turn.session, {"t1": YES}, SOMEBODY)
    assert await turn_status(world, turn) is TurnStatus.QUEUED
    assert await world.problems() == []


async def test_several_are_decided_by_their_ids_all_of_them_or_none(world: World) -> None:
    turn = await park(world, 3)
    first, second, third = await asks_of(world, turn)
    asks = world.services.asks
    await asks.decide_many(world.org, turn.session, {first.id: YES}, SOMEBODY)
    log = await world.types(turn.session)
    for verdicts in ({second.id: YES, first.id: YES}, {}):
        with pytest.raises(WrongState):
            await asks.decide_many(world.org, turn.session, verdicts, SOMEBODY)
    with pytest.raises(NotFound):
        await asks.decide_many(world.org, turn.session, {second.id: YES, AskId(uuid7()): YES}, SOMEBODY)
    assert await world.types(turn.session) == log
    repeat = Repeat(KeyId(uuid7()), "decide many", "once", b"hash")
    for replayed in (False, True):
        both = {} if replayed else {second.id: YES, third.id: YES}
        many = await asks.decide_many(world.org, turn.session, both, SOMEBODY, repeat)
        assert ([ask.id for ask in many.value], many.replayed) == ([second.id, third.id], replayed)
    assert await turn_status(world, turn) is TurnStatus.QUEUED
    assert await world.problems() == []


async def test_a_call_that_no_open_ask_is_about_fails_all_of_its_request(world: World) -> None:
    turn = await park(world)
    asks = world.services.asks
    await asks.decide_calls(world.org, turn.session, {"t0": YES}, SOMEBODY)
    log = await world.types(turn.session)
    for call in ("t0", "t9"):
        with pytest.raises(NotFound, match=f"open ask about tool call {call}"):
            await asks.decide_calls(world.org, turn.session, {"t1": YES, call: YES}, SOMEBODY)
    assert await world.types(turn.session) == log
    assert [ask.prompt["tool_call_id"] for ask in await asks_of(world, turn)] == ["t1"]
    await asks.decide_calls(world.org, turn.session, {"t1": YES}, SOMEBODY)
    with pytest.raises(WrongState, match="queued"):
        await asks.decide_calls(world.org, turn.session, {"t1": YES}, SOMEBODY)


@pytest.mark.parametrize(
    ("kind", "decision"), [("client_tool", "allow"), ("question", "allow"), ("approval", "answer")]
)
async def test_a_decision_that_does_not_fit_the_ask_is_refused(
    world: World, kind: AskKind, decision: str
) -> None:
    turn = await park(world, 1, kind)
    verdict = Verdict("allow" if decision == "allow" else "answer")
    (ask,) = await asks_of(world, turn)
    with pytest.raises(InvalidRequest, match="decision"):
        await world.services.asks.decide(world.org, turn.session, ask.id, verdict, SOMEBODY)
    with pytest.raises(InvalidRequest, match="decision"):
        await world.services.asks.decide_calls(world.org, turn.session, {"t0": verdict}, SOMEBODY)


async def test_a_queued_message_waits_behind_the_waiting_turn(world: World) -> None:
    turn = await park(world)
    behind = await world.send(turn.session, "later")
    record = (await world.record(turn.session)).session
    assert (record.open_turn, record.queued_inputs, record.activity) == (turn.turn, 1, Activity.WAITING)
    await world.services.asks.decide_calls(world.org, turn.session, {"t0": YES, "t1": YES}, SOMEBODY)
    assert (await world.claim(turn.session)).turn == turn.turn
    assert (await world.services.inputs.get(world.org, turn.session, behind.id)).status == "queued"
    assert await world.problems() == []


async def test_a_steer_denies_what_is_still_asked_and_the_turn_resumes_at_once(world: World) -> None:
    turn = await park(world, 3)
    await world.services.asks.decide_calls(world.org, turn.session, {"t1": YES}, SOMEBODY)
    await world.send(turn.session, "never mind", "steer")
    said = [(one.decision, one.by) for one in await world.said(turn.session, AskDecided)]
    assert said == [("answer", SOMEBODY), ("deny", SOMEBODY), ("deny", SOMEBODY)]
    assert (await world.types(turn.session))[-4:] == [
        "input.received",
        "ask.decided",
        "ask.decided",
        "turn.resumed",
    ]
    assert (await world.claim(turn.session)).turn == turn.turn
    assert await world.problems() == []


async def test_an_interrupt_cancels_the_waiting_turn_and_nobody_is_asked_any_more(world: World) -> None:
    turn = await park(world)
    urgent = await world.send(turn.session, "stop", "interrupt")
    assert await turn_status(world, turn) is TurnStatus.CANCELLED
    assert [ask.status for ask in await asks_of(world, turn, open_only=False)] == ["void", "void"]
    results = [(entry.type) for entry in await world.log(turn.session)].count("tool.completed")
    assert results == 2
    assert (await world.claim(turn.session)).turn == urgent.turn
    assert await world.problems() == []


async def test_asks_of_another_session_or_organisation_are_not_found(world: World) -> None:
    turn, other = await park(world), await park(world)
    mine, _ = await asks_of(world, turn)
    asks = world.services.asks
    for org, session, ask in (
        (world.org, other.session, mine.id),
        (OrgId(uuid7()), turn.session, mine.id),
        (world.org, turn.session, AskId(uuid7())),
    ):
        with pytest.raises(NotFound):
            await asks.get(org, session, ask)
        with pytest.raises(NotFound):
            await asks.decide(org, session, ask, YES, SOMEBODY)
    with pytest.raises(NotFound):
        await asks.list(OrgId(uuid7()), turn.session, True, None, 10)
    await world.services.sessions.delete(world.org, turn.session, SOMEBODY)
    with pytest.raises(NotFound):
        await asks.get(world.org, turn.session, mine.id)


async def test_a_parked_turn_holds_no_lease_and_no_worker_can_write_for_it(world: World) -> None:
    turn = await park(world)
    assert world.database.query("SELECT 1 FROM leases") == []
    assert turn.turn in {TurnId(ask.turn) for ask in await asks_of(world, turn)}
    assert await world.services.turns.ready("model", 10) == []


async def test_a_decision_that_comes_behind_the_deadline_is_refused_and_the_policy_decides(
    world: World,
) -> None:
    turn = await world.claimed()
    timed = NewAsk(id=AskId(uuid7()), kind="approval", prompt={}, timeout_seconds=10.0)
    other = NewAsk(id=AskId(uuid7()), kind="approval", prompt={})
    await world.services.turns.wait(turn, (), (timed, other), "parked")
    world.clock.advance(10)
    before = await world.record(turn.session)
    both = {timed.id: Verdict("allow"), other.id: Verdict("allow")}
    with pytest.raises(WrongState, match="An ask that is expired cannot be decided"):
        await world.services.asks.decide_many(world.org, turn.session, both, SOMEBODY)
    assert await world.record(turn.session) == before
    await world.services.upkeep.tick()
    [decided] = await world.said(turn.session, AskDecided)
    assert (decided.ask, decided.decision, decided.by.kind) == (timed.id, "deny", "timeout")
    await world.services.asks.decide(world.org, turn.session, other.id, Verdict("allow"), SOMEBODY)
    assert await turn_status(world, turn) is TurnStatus.QUEUED
    assert await world.problems() == []
