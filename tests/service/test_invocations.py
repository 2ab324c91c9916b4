"""Sessions that are called by an alias, and what the sender of an input is told of its turn."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from sojourn.domain import events as e
from sojourn.domain.ask import NewAsk
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.errors import IdempotencyMismatch, NotFound, WrongState
from sojourn.domain.feed import Closing, Preview
from sojourn.domain.filter import SessionQuery
from sojourn.domain.ids import AskId, KeyId, MessageId, OrgId, uuid7
from sojourn.domain.policy import Policy
from sojourn.domain.session import SessionStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.inputs import NewInput
from sojourn.service.invocations import HeldUp, Invoked, TurnItem
from sojourn.service.results import Repeat, Result
from sojourn.service.sessions import NewSession, SessionChange
from tests.support.world import SOMEBODY, World

BOUND_SECONDS = 20.0
ALIAS = "run 7"
HELLO = NewInput(content=(TextPart("hello"),))


async def invoke(world: World, alias: str = ALIAS, repeat: Repeat | None = None) -> Result[Invoked]:
    new = NewSession(origin="somewhere", policy=Policy(idle_timeout_seconds=60))
    return await world.services.invocations.invoke(world.org, alias, new, HELLO, SOMEBODY, repeat)


async def stop(world: World, repeat: Repeat | None = None, alias: str = ALIAS) -> None:
    await world.services.invocations.stop(world.org, alias, "completed", SOMEBODY, repeat)


async def follow(world: World, invoked: Invoked) -> AsyncGenerator[TurnItem]:
    return await world.services.invocations.follow(world.org, invoked.session, invoked.input)


async def heard(items: AsyncGenerator[TurnItem]) -> list[str]:
    """What a sender is told, to the end: types of events, and the kinds of what else there is."""
    async with asyncio.timeout(BOUND_SECONDS):
        return [getattr(item, "type", type(item).__name__) async for item in items]


async def answer(world: World, turn: ClaimedTurn, text: str = "hi") -> None:
    call = (await world.conversation(turn.session)).progress.open_call
    assert call is not None
    said = e.MessageCompleted(message=call.message, call=1, text=text)
    done = e.ModelCompleted(call=1, model="m", provider="p", usage=Usage(), finish_reason="stop")
    await world.services.turns.settle(turn, [said, done])


async def park(world: World, turn: ClaimedTurn) -> None:
    """Wait for a decision, which time takes after ten seconds."""
    ask = NewAsk(id=AskId(uuid7()), kind="question", prompt={"text": "?"}, timeout_seconds=10.0)
    await world.services.turns.wait(turn, [], [ask], "parked")


async def test_an_alias_without_a_session_makes_one_and_every_later_call_finds_it(world: World) -> None:
    first, second = await invoke(world), await invoke(world)
    assert (first.created, second.created) == (True, False)
    assert first.value.session == second.value.session
    record = await world.record(first.value.session)
    assert (record.alias, record.origin) == (ALIAS, "somewhere")
    assert record.session.policy == Policy(idle_timeout_seconds=60)
    assert (await invoke(world, "run 8")).value.session != first.value.session
    assert await world.problems() == []


async def test_of_many_first_calls_at_once_one_makes_the_session_and_all_are_heard(world: World) -> None:
    for number in range(3):
        results = await asyncio.gather(*(invoke(world, f"run {number}") for _ in range(12)))
        (session,) = {result.value.session for result in results}
        assert [result.created for result in results].count(True) == 1
        assert len(await world.said(session, e.InputReceived)) == 12
    assert await world.problems() == []


async def test_the_newest_session_of_an_alias_is_the_one_that_is_called(world: World) -> None:
    await world.new_session(NewSession(alias=ALIAS))
    world.clock.advance(1)
    newest = await world.new_session(NewSession(alias=ALIAS))
    assert (await invoke(world)).value.session == newest
    await world.services.sessions.update(world.org, newest, SessionChange(alias="another"), SOMEBODY)
    (changed,) = await world.said(newest, e.SessionUpdated)
    assert changed.changes == {"alias": "another"}
    assert (await invoke(world)).value.session != newest


async def test_a_call_reopens_an_ended_session_and_makes_another_after_a_deleted_one(world: World) -> None:
    session = (await invoke(world)).value.session
    await stop(world)
    assert (await world.record(session)).session.status is SessionStatus.COMPLETED
    again = await invoke(world)
    assert (again.value.session, again.created) == (session, False)
    assert (await world.record(session)).session.status is SessionStatus.OPEN
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    assert (await invoke(world)).value.session != session
    assert await world.problems() == []


async def test_a_call_by_the_id_of_a_deleted_session_is_not_found_and_makes_no_other(world: World) -> None:
    session = await world.new_session()
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    with pytest.raises(NotFound):
        await invoke(world, str(session))
    assert await world.services.sessions.list(world.org, SessionQuery()) == []


async def test_an_alias_is_its_organisations_own(world: World) -> None:
    session = (await invoke(world)).value.session
    other = OrgId(uuid7())
    await world.services.access.ensure_org(other, "other")
    await world.services.agents.ensure_default(other)
    with pytest.raises(NotFound):
        await world.services.invocations.stop(other, ALIAS, "completed", SOMEBODY)
    called = await world.services.invocations.invoke(other, ALIAS, NewSession(), HELLO, SOMEBODY)
    assert called.created
    assert called.value.session != session


async def test_an_archived_session_refuses_a_call_and_no_other_takes_its_place(world: World) -> None:
    session = await world.new_session(NewSession(alias=ALIAS))
    await world.services.sessions.archive(world.org, session, True, SOMEBODY)
    with pytest.raises(WrongState):
        await invoke(world)
    assert world.database.query("SELECT count(*) FROM sessions") == [(1,)]


async def test_a_stop_ends_a_running_session_once(world: World) -> None:
    session = (await invoke(world)).value.session
    repeat = Repeat(KeyId(uuid7()), "stop", "k", b"a hash")
    await stop(world, repeat)
    log = await world.types(session)
    assert log[-1] == "session.ended"
    await stop(world, repeat)
    with pytest.raises(NotFound):
        await stop(world)
    with pytest.raises(NotFound):
        await stop(world, alias="nobody's")
    with pytest.raises(IdempotencyMismatch):
        await stop(world, Repeat(repeat.key, "stop", "k", b"another"))
    assert await world.types(session) == log


async def test_a_sender_is_told_of_its_own_turn_to_the_end(world: World) -> None:
    first, second = (await invoke(world)).value, (await invoke(world)).value
    turns = [asyncio.create_task(heard(await follow(world, one))) for one in (first, second)]
    for text in ("one", "two"):
        await answer(world, await world.claim(first.session), text)
    of_turn = ["turn.queued", "turn.started", "input.delivered", "model.called", "message.completed"]
    ended = [*of_turn, "model.completed", "turn.completed"]
    assert await asyncio.gather(*turns) == [ended, ended]
    assert await heard(await follow(world, first)) == ended


async def test_a_sender_sees_the_previews_of_its_own_turn_only(world: World) -> None:
    invoked = (await invoke(world)).value
    claimed = await world.claim(invoked.session)
    call = (await world.conversation(invoked.session)).progress.open_call
    assert call is not None
    items = await follow(world, invoked)
    async with asyncio.timeout(BOUND_SECONDS):
        while not isinstance(await anext(items), e.ModelCalled):
            pass
        world.services.turns.preview(claimed, MessageId(uuid7()), 0, "another's")
        world.services.turns.preview(claimed, call.message, 0, "h")
        assert await anext(items) == Preview(invoked.session, call.message, 0, "h")
    await answer(world, claimed)
    assert await heard(items) == ["message.completed", "model.completed", "turn.completed"]


async def test_a_sender_does_not_wait_for_a_decision(world: World) -> None:
    invoked = (await invoke(world)).value
    told = asyncio.create_task(heard(await follow(world, invoked)))
    await park(world, await world.claim(invoked.session))
    assert (await told)[-2:] == ["ask.opened", "turn.waiting"]
    assert (await heard(await follow(world, invoked)))[-1] == "turn.waiting"


async def test_a_sender_of_a_turn_that_was_resumed_hears_its_end(world: World) -> None:
    invoked = (await invoke(world)).value
    await park(world, await world.claim(invoked.session))
    world.clock.advance(10)
    await world.services.upkeep.tick()
    told = asyncio.create_task(heard(await follow(world, invoked)))
    await world.services.turns.settle(await world.claim(invoked.session), [], error="no", reason="error")
    assert (await told)[-1] == "turn.failed"


async def test_a_sender_is_told_that_its_input_was_withdrawn_and_not_that_another_was(world: World) -> None:
    await invoke(world)
    second, third = (await invoke(world)).value, (await invoke(world)).value
    told = [asyncio.create_task(heard(await follow(world, one))) for one in (second, third)]
    await world.services.inputs.withdraw(world.org, third.session, third.input.id, SOMEBODY)
    assert await told[1] == ["input.withdrawn"]
    await stop(world)
    assert await told[0] == ["input.withdrawn"]


async def test_a_sender_does_not_wait_for_a_driver_outside(world: World) -> None:
    session = await world.new_session(NewSession(alias=ALIAS, driver="laptop"))
    invoked = (await invoke(world)).value
    assert invoked.session == session
    assert await heard(await follow(world, invoked)) == [HeldUp.__name__]


async def test_a_sender_does_not_wait_for_a_driver_that_comes_later(world: World) -> None:
    await invoke(world)
    second = (await invoke(world)).value
    told = asyncio.create_task(heard(await follow(world, second)))
    await world.services.presences.hold(world.org, second.session, "laptop", None)
    assert await told == [HeldUp.__name__]


async def test_a_sender_is_told_that_the_session_or_the_server_goes(world: World) -> None:
    for go in (world.services.sessions.delete, None):
        invoked = (await invoke(world)).value
        items = await follow(world, invoked)
        assert isinstance(await anext(items), e.TurnQueued)
        if go is None:
            world.services.hub.close()
        else:
            await go(world.org, invoked.session, SOMEBODY)
        assert await heard(items) == [Closing.__name__]


async def test_a_sender_does_not_wait_behind_a_turn_that_waits(world: World) -> None:
    first, second = (await invoke(world)).value, (await invoke(world)).value
    told = asyncio.create_task(heard(await follow(world, second)))
    await park(world, await world.claim(first.session))
    assert await told == [HeldUp.__name__]
    items = await follow(world, (await invoke(world)).value)
    held_up = await anext(items)
    assert isinstance(held_up, HeldUp)
    assert [ask.kind for ask in held_up.asks] == ["question"]


async def test_a_session_without_an_alias_is_called_by_its_id(world: World) -> None:
    session = await world.new_session()
    assert (await invoke(world, str(session))).value.session == session
    await stop(world, alias=str(session))
    assert (await world.record(session)).session.status is SessionStatus.COMPLETED
    world.clock.advance(1)
    named = await world.new_session(NewSession(alias=str(session)))
    assert (await invoke(world, str(session))).value.session == named
    await world.services.sessions.delete(world.org, named, SOMEBODY)
    assert (await invoke(world, str(session))).value.session == session


async def test_a_reopened_session_lives_by_its_policy_again(world: World) -> None:
    invoked = (await invoke(world)).value
    await stop(world)
    await invoke(world)
    turn = await world.claim(invoked.session)
    await world.services.turns.settle(turn, [])
    record = await world.record(invoked.session)
    assert record.expires_at == world.clock.now() + timedelta(seconds=60)
