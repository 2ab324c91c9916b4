"""What a runner that keeps its process waits for: decisions that come while it goes on."""

import asyncio

import pytest

from sojourn.domain.ask import NewAsk, prompt_of
from sojourn.domain.content import Usage
from sojourn.domain.errors import LeaseLost
from sojourn.domain.events import AskDecided, ModelCompleted, ToolRequested, TurnWaiting, UsageRecorded
from sojourn.domain.fold import Conversation
from sojourn.domain.ids import AskId, MessageId, OrgId, SessionId, uuid7
from sojourn.domain.session import Activity
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.asks import Verdict
from sojourn.service.hub import Channel
from sojourn.worker.journal import TurnJournal
from tests.support.world import SOMEBODY, World
from tests.worker.workplace import until, waited

BOUND_SECONDS = 20.0


async def begun(world: World) -> TurnJournal:
    """The journal of a claimed turn whose model has asked for two tools."""
    turn = await world.claimed()
    journal = TurnJournal(world.services.turns, turn, Conversation())
    await journal.catch_up()
    opened = journal.conversation.progress.open_call
    assert opened is not None
    answered = ModelCompleted(
        call=1, model=opened.model, provider="sim", usage=Usage(), finish_reason="tool_calls"
    )
    tools = [
        ToolRequested(call=1, index=index, id=f"t{index}", name=f"tool{index}", arguments="{}")
        for index in (0, 1)
    ]
    await journal.append([answered, *tools])
    return journal


def asks(index: int) -> NewAsk:
    tool = ToolRequested(call=1, index=index, id=f"t{index}", name=f"tool{index}", arguments="{}")
    prompt = prompt_of(tool, {})
    return NewAsk(id=AskId(uuid7()), kind="approval", prompt=prompt)


async def decide(world: World, session: SessionId, ask: NewAsk, verdict: Verdict) -> None:
    await world.services.asks.decide(world.org, session, ask.id, verdict, SOMEBODY)


def session_of(journal: TurnJournal) -> SessionId:
    turn: ClaimedTurn = journal.turn
    return turn.session


async def test_a_held_wait_keeps_the_lease_and_ends_with_the_decision(world: World) -> None:
    journal, ask = await begun(world), asks(0)
    session = session_of(journal)
    async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(journal.ask([ask]))
        await until(world, session, "turn.waiting")
        assert (await world.record(session)).session.activity is Activity.WAITING
        await decide(world, session, ask, Verdict("deny", {"reason": "no"}))
    assert waiting.result() == {
        ask.id: AskDecided(ask=ask.id, decision="deny", answer={"reason": "no"}, by=SOMEBODY)
    }
    (told,) = await world.said(session, TurnWaiting)
    assert (told.mode, told.asks) == ("held", (ask.id,))
    # The same claim goes on.
    await journal.append([UsageRecorded(source="test", usage=Usage())])
    assert await world.problems() == []


async def test_two_held_waits_end_each_with_its_own_decision_and_the_runner_says_more_meanwhile(
    world: World,
) -> None:
    journal, first, second = await begun(world), asks(0), asks(1)
    session = session_of(journal)
    async with asyncio.timeout(BOUND_SECONDS), asyncio.TaskGroup() as tasks:
        one = tasks.create_task(journal.ask([first]))
        await until(world, session, "turn.waiting")
        two = tasks.create_task(journal.ask([second]))
        await until(world, session, "turn.waiting", 2)
        await journal.append([UsageRecorded(source="test", usage=Usage())])
        await decide(world, session, second, Verdict("allow"))
        assert (await two)[second.id].decision == "allow"
        assert not one.done()
        assert (await world.record(session)).session.activity is Activity.WAITING
        await decide(world, session, first, Verdict("deny"))
    assert one.result()[first.id].decision == "deny"
    assert (await world.record(session)).session.activity is Activity.BUSY
    assert await world.problems() == []


async def test_a_held_wait_ends_when_the_turn_is_taken_away(world: World) -> None:
    journal, ask = await begun(world), asks(0)
    session = session_of(journal)
    waiting = asyncio.create_task(journal.ask([ask]))
    await until(world, session, "turn.waiting")
    await world.services.turns.cancel(world.org, session, journal.turn.turn, SOMEBODY)
    with pytest.raises(LeaseLost):
        async with asyncio.timeout(BOUND_SECONDS):
            await waiting
    assert await world.problems() == []


def subscribed(world: World) -> asyncio.Event:
    """Set as soon as somebody follows a session."""
    follow, event = world.services.hub.subscribe, asyncio.Event()

    def subscribe(org: OrgId, session: SessionId) -> Channel:
        event.set()
        return follow(org, session)

    vars(world.services.hub)["subscribe"] = subscribe
    return event


@pytest.mark.parametrize("is_late", [False, True])
async def test_whoever_waits_for_the_log_to_grow_misses_no_entry(world: World, is_late: bool) -> None:
    turn = await world.claimed()
    turns, head = world.services.turns, (await world.record(turn.session)).session.next_seq - 1
    is_waiting = subscribed(world)
    waiting = asyncio.create_task(turns.entries_after(turn, head, BOUND_SECONDS))
    if is_late:
        await waited(is_waiting)
    await world.send(turn.session, "more")
    assert [entry.type for entry in await waiting] == ["input.received"]
    assert world.services.hub.watched() == {}


async def test_previews_do_not_end_a_wait_for_entries_and_a_wait_in_vain_gives_none(world: World) -> None:
    journal = await begun(world)
    turns, turn = world.services.turns, journal.turn
    head = journal.conversation.seq
    is_waiting = subscribed(world)
    waiting = asyncio.create_task(turns.entries_after(turn, head, BOUND_SECONDS))
    await waited(is_waiting)
    journal.preview(MessageId(uuid7()), 0, "text")
    assert await turns.entries_after(turn, head, 0.01) == ()
    assert not waiting.done()
    await world.send(turn.session, "more")
    assert len(await waiting) == 1
