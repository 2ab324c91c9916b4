"""Workers outside of the server's processes: what they are given, and what is taken from them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import pytest

from sojourn.domain import events as e
from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import NewAsk
from sojourn.domain.content import Usage
from sojourn.domain.errors import CallRefused, Forbidden, IdempotencyMismatch, InvalidRequest, LeaseLost
from sojourn.domain.ids import AgentId, AskId, KeyId, MessageId, SessionId, uuid7
from sojourn.domain.kinds import Json
from sojourn.domain.record import Principal
from sojourn.domain.worker import NO_LIMITS, WorkerLimits
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.budgets import NewBudget
from sojourn.service.claims import LEASE_TTL_SECONDS, LeaseTerms
from sojourn.service.outside.callers import Caller
from sojourn.service.outside.signals import Listening, Signal, TurnReady, TurnStopped
from sojourn.service.results import Repeat
from sojourn.service.sessions import NewSession
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.world import SOMEBODY, World, open_world

KEY, RIVAL = KeyId(uuid7()), KeyId(uuid7())
BOUND_SECONDS = 20.0


def caller(
    world: World,
    key: KeyId = KEY,
    limits: WorkerLimits = NO_LIMITS,
    pool: str = "default",
    agents: tuple[AgentId, ...] = (),
) -> Caller:
    principal = Principal(world.org, key, "worker", limits)
    return Caller(principal=principal, name="w", runners=("external",), pool=pool, agents=agents)


def repeat(text: str, operation: str = "claim_turn", request: bytes = b"same") -> Repeat:
    return Repeat(KEY, operation, text, request)


async def new_turn(world: World, pool: str | None = None) -> SessionId:
    name = f"foreign-{pool}"
    agent = await world.store.reads.find_agent(world.org, name)
    if agent is None:
        config: dict[str, Json] = {} if pool is None else {"pool": pool}
        spec = AgentSpec(name=name, runner="external", runner_config=config)
        agent = (await world.services.agents.create(world.org, spec)).value
    session = await world.new_session(NewSession(agent=agent.id))
    await world.send(session)
    return session


async def claim(
    world: World, session: SessionId | None = None, by: Caller | None = None, again: Repeat | None = None
) -> ClaimedTurn | None:
    claimed = await world.services.outside_claims.claim(by or caller(world), session, 0, again)
    return None if claimed is None else claimed.value


async def claimed(world: World) -> ClaimedTurn:
    turn = await claim(world, await new_turn(world))
    assert turn is not None
    return turn


MESSAGE = MessageId(uuid7())
CALLED = e.ModelCalled(call=1, model="m", message=MESSAGE)
ANSWER = (
    e.MessageCompleted(message=MESSAGE, call=1, text="done"),
    e.ModelCompleted(call=1, model="m", provider="p", usage=Usage(), finish_reason="stop"),
)
USED = e.UsageRecorded(source="s", usage=Usage(input_tokens=5))


async def test_a_turn_is_run_from_its_claim_to_its_end(world: World) -> None:
    turn, turns = await claimed(world), world.services.outside_turns
    assert not await turns.append(turn, [USED], [CALLED], 1, None)
    entries = await turns.entries_after(turn, 0, 100, 0)
    assert [event.type for event, _ in entries][-2:] == ["usage.recorded", "model.called"]
    assert (await turns.conversation(turn)).messages[-1].text == "hello"
    await turns.write_file(turn, "a.txt", b"x")
    await turns.write_file(turn, "a.txt", b"x")
    assert (await turns.list_files(turn), await turns.read_file(turn, "a.txt")) == ([("a.txt", 1)], b"x")
    await turns.settle(turn, ANSWER, "end_turn", None, None)
    ending = ["file.written", "message.completed", "model.completed", "turn.completed"]
    assert (await world.types(turn.session))[-4:] == ending
    assert [started.worker for started in await world.said(turn.session, e.TurnStarted)] == [f"w@{KEY}"]
    assert await world.problems() == []


async def test_what_cannot_be_so_writes_nothing(world: World) -> None:
    turn, turns = await claimed(world), world.services.outside_turns
    before = await world.types(turn.session)
    result = e.ToolCompleted(call=1, index=0, id="t", name="n", status="done", output="")
    with pytest.raises(InvalidRequest, match=r"events\.1"):
        await turns.append(turn, [USED, result], [], None, None)
    asked = NewAsk(id=AskId(uuid7()), kind="question", prompt={})
    await turns.wait(turn, [], [asked], "held", None)
    with pytest.raises(InvalidRequest, match="id of another ask"):
        await turns.wait(turn, [], [asked], "held", None)
    assert (await world.types(turn.session)) == [*before, "ask.opened", "turn.waiting"]


async def test_a_write_that_is_sent_again_is_written_once(world: World) -> None:
    turn, turns = await claimed(world), world.services.outside_turns
    first, last = repeat("a", "append"), repeat("b", "settle")
    assert [await turns.append(turn, [USED], [CALLED], None, first) for _ in range(2)] == [False, True]
    # The claim is over with the first; its worker, to whom nobody has said so, is answered all the same.
    assert [await turns.settle(turn, ANSWER, "end_turn", None, last) for _ in range(2)] == [False, True]
    types = await world.types(turn.session)
    assert [types.count(one) for one in ("usage.recorded", "message.completed", "turn.completed")] == [
        1,
        1,
        1,
    ]
    with pytest.raises(LeaseLost):
        await turns.settle(turn, [USED], "end_turn", None, None)


async def test_a_refusal_by_a_budget_is_repeated_too(world: World) -> None:
    turn, turns = await claimed(world), world.services.outside_turns
    new = NewBudget(currency="tokens", limit=Decimal(1), soft_limit=None, metadata={})
    await world.services.budgets.create(world.org, turn.session, new, SOMEBODY)
    for _ in range(2):
        with pytest.raises(CallRefused):
            await turns.append(turn, [USED], [], None, repeat("a", "append"))
    assert (await world.types(turn.session)).count("usage.recorded") == 1


async def test_a_claim_whose_answer_was_lost_is_answered_again_while_it_stands(world: World) -> None:
    session = await new_turn(world)
    first = await claim(world, again=repeat("a"))
    assert first is not None
    await new_turn(world)
    again = await world.services.outside_claims.claim(caller(world), None, 0, repeat("a"))
    assert again is not None
    assert (again.value, again.replayed) == (first, True)
    with pytest.raises(IdempotencyMismatch):
        await claim(world, again=repeat("a", request=b"another"))
    await world.services.outside_turns.give_back(first, None)
    with pytest.raises(LeaseLost):
        await claim(world, again=repeat("a"))
    assert (await world.types(session)).count("turn.started") == 1


async def test_the_same_claim_sent_twice_at_once_takes_one_turn(world: World) -> None:
    sessions = [await new_turn(world) for _ in range(4)]
    got = await asyncio.gather(*(claim(world, again=repeat("a")) for _ in range(4)))
    assert len({turn.turn for turn in got if turn is not None}) == 1
    started = [(await world.types(session)).count("turn.started") for session in sessions]
    assert sum(started) == 1


async def test_another_key_s_worker_reads_and_writes_nothing(world: World) -> None:
    turn, turns = await claimed(world), world.services.outside_turns
    stolen = replace(turn, key=RIVAL)
    for attempt in (
        turns.append(stolen, [USED], [], None, None),
        turns.settle(stolen, [], "end_turn", None, None),
        turns.retry(stolen, [], "x", 0, None),
        turns.give_back(stolen, None),
        turns.write_file(stolen, "a", b""),
        turns.entries_after(stolen, 0, 10, 0),
        turns.conversation(stolen),
        turns.read_file(stolen, "a"),
        turns.preview(stolen, MessageId(uuid7()), 0, "x"),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    assert list(await turns.renew([turn], caller(world, RIVAL))) == [turn]
    assert list(await turns.renew([turn], caller(world))) == []


async def test_a_worker_gets_the_turns_of_its_pool_and_of_no_other(world: World) -> None:
    gpu, plain = await new_turn(world, "gpu"), await new_turn(world)
    assert await claim(world, gpu) is None
    found = await world.services.outside_claims.ready(caller(world, pool="gpu"), 10)
    assert [one.session for one in found] == [gpu]
    turn = await claim(world, by=caller(world, pool="gpu"))
    assert turn is not None
    assert turn.session == gpu
    turn = await claim(world)
    assert turn is not None
    assert turn.session == plain


async def test_a_key_s_limits_bind_whoever_comes_with_it(world: World) -> None:
    session = await new_turn(world, "gpu")
    agent = (await world.record(session)).session.agent
    for limits in (WorkerLimits(runners=("model",)), WorkerLimits(pools=("cpu",))):
        with pytest.raises(Forbidden):
            await claim(world, session, caller(world, limits=limits, pool="gpu"))
    other = WorkerLimits(agents=(AgentId(uuid7()),))
    assert await claim(world, session, caller(world, limits=other, pool="gpu")) is None
    with pytest.raises(Forbidden):
        await claim(world, session, caller(world, limits=other, pool="gpu", agents=(agent,)))
    limits = WorkerLimits(runners=("external",), pools=("gpu",), agents=(agent,))
    assert await claim(world, session, caller(world, limits=limits, pool="gpu")) is not None


async def test_a_waiting_claim_takes_the_turn_that_comes(world: World) -> None:
    waiting = asyncio.create_task(world.services.outside_claims.claim(caller(world), None, 30, None))
    await world.services.outside_claims.ready(caller(world), 1)
    session = await new_turn(world)
    async with asyncio.timeout(BOUND_SECONDS):
        result = await waiting
    assert result is not None
    assert result.value.session == session


async def test_a_waiting_claim_ends_with_the_server(world: World) -> None:
    waiting = asyncio.create_task(world.services.outside_claims.claim(caller(world), None, 30, None))
    await world.services.outside_claims.ready(caller(world), 1)
    world.services.hub.close()
    async with asyncio.timeout(BOUND_SECONDS):
        assert await waiting is None


async def test_a_listener_hears_of_ready_turns_and_of_those_that_are_taken_away(world: World) -> None:
    async with aclosing(world.services.outside_signals.signals(caller(world))) as signals:
        assert await heard(signals) == Listening()
        session = await new_turn(world)
        assert await heard(signals) == TurnReady(session)
        turn = await claim(world)
        assert turn is not None
        await world.services.turns.cancel(world.org, session, turn.turn, SOMEBODY)
        assert await heard(signals) == TurnStopped(session, turn.turn)
        await new_turn(world, "gpu")
        world.services.hub.close()
        with pytest.raises(StopAsyncIteration):
            await heard(signals)


async def heard(signals: AsyncGenerator[Signal]) -> Signal:
    async with asyncio.timeout(BOUND_SECONDS):
        return await anext(signals)


async def test_a_worker_outside_is_held_by_time_where_the_server_s_own_live_with_it(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    async with open_world(sqlite, clock, LeaseTerms(None, "boot")) as world:
        own = await world.claimed()
        turn = await claimed(world)
        clock.advance(LEASE_TTL_SECONDS - 1)
        assert await world.services.outside_turns.renew([turn], caller(world)) == []
        clock.advance(LEASE_TTL_SECONDS - 1)
        await world.services.upkeep.tick()
        assert (await world.services.outside_turns.require(turn))[1].id == turn.turn
        clock.advance(2)
        await world.services.upkeep.tick()
        with pytest.raises(LeaseLost):
            await world.services.outside_turns.require(turn)
        assert await world.services.turns.renew([own], "worker") == []


async def test_the_server_s_restart_leaves_a_worker_outside_its_turn_and_one_fresh_ttl(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    async with open_world(sqlite, clock, LeaseTerms(None, "boot")) as world:
        turn = await claimed(world)
    clock.advance(10 * LEASE_TTL_SECONDS)
    async with open_world(sqlite, clock, LeaseTerms(None, "next boot")) as world:
        assert await world.services.upkeep.start() == 0
        await world.services.upkeep.tick()
        await world.services.outside_turns.settle(turn, [USED], "end_turn", None, None)
        assert (await world.types(turn.session))[-1] == "turn.completed"
