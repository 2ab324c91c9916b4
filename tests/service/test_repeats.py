"""Invariant 5: every mutation can be repeated. A repetition changes nothing and is answered as the first was."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import TextPart
from sojourn.domain.errors import Conflict, IdempotencyMismatch, NotFound
from sojourn.domain.ids import KeyId, SessionId, uuid7
from sojourn.service.inputs import NewInput
from sojourn.service.results import Repeat, Result
from sojourn.service.sessions import NewSession
from sojourn.service.upkeep import IDEMPOTENCY_AGE
from tests.support.world import SOMEBODY, World

REPEAT = Repeat(KeyId(uuid7()), "an operation", "k", b"a hash")
Mutation = Callable[[World, SessionId, Repeat], Awaitable[Result[object]]]


async def create(world: World, _session: SessionId, repeat: Repeat) -> Result[object]:
    result = await world.services.sessions.create(world.org, NewSession(title="new"), SOMEBODY, repeat)
    return Result(result.value.session.id, result.created, result.replayed)


async def create_or_get(world: World, _session: SessionId, repeat: Repeat) -> Result[object]:
    new = NewSession(external_id="order 7")
    result = await world.services.sessions.create(world.org, new, SOMEBODY, repeat)
    return Result(result.value.session.id, result.created, result.replayed)


async def send(world: World, session: SessionId, repeat: Repeat) -> Result[object]:
    new = NewInput(content=(TextPart("hello"),))
    result = await world.services.inputs.send(world.org, session, new, SOMEBODY, repeat)
    return Result((result.value.id, result.value.turn), result.created, result.replayed)


async def invoke(world: World, _session: SessionId, repeat: Repeat) -> Result[object]:
    new = NewInput(content=(TextPart("hello"),))
    result = await world.services.invocations.invoke(world.org, "run 7", NewSession(), new, SOMEBODY, repeat)
    return Result(result.value, result.created, result.replayed)


async def cancel(world: World, session: SessionId, repeat: Repeat) -> Result[object]:
    turns = await world.services.turns.list(world.org, session, None, 1)
    result = await world.services.turns.cancel(world.org, session, turns[0].id, SOMEBODY, repeat)
    return Result(result.value, result.created, result.replayed)


async def end(world: World, session: SessionId, repeat: Repeat) -> Result[object]:
    result = await world.services.sessions.end(world.org, session, "completed", "done", SOMEBODY, repeat)
    return Result(result.value, result.created, result.replayed)


async def archive(world: World, session: SessionId, repeat: Repeat) -> Result[object]:
    result = await world.services.sessions.archive(world.org, session, True, SOMEBODY, repeat)
    return Result(result.value, result.created, result.replayed)


async def create_agent(world: World, _session: SessionId, repeat: Repeat) -> Result[object]:
    result = await world.services.agents.create(world.org, AgentSpec(name="writer"), repeat)
    return Result(result.value.id, result.created, result.replayed)


MUTATIONS: list[Mutation] = [create, create_or_get, send, invoke, cancel, end, archive, create_agent]
every_mutation = pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda mutate: mutate.__name__)


@pytest.fixture
async def session(world: World) -> SessionId:
    session = await world.new_session()
    await world.send(session)
    return session


def everything(world: World) -> list[object]:
    """All that a mutation might change."""
    tables = ("sessions", "events", "inputs", "turns", "agents", "refs", "idempotency")
    return [sorted(world.database.query(f"SELECT * FROM {table}"), key=repr) for table in tables]


@every_mutation
async def test_a_repetition_changes_nothing_and_is_answered_alike(
    world: World, session: SessionId, mutate: Mutation
) -> None:
    first = await mutate(world, session, REPEAT)
    before = everything(world)
    world.clock.advance(60)
    again = await mutate(world, session, REPEAT)
    assert not first.replayed
    assert again == replace(first, replayed=True)
    assert everything(world) == before


@every_mutation
async def test_the_same_key_for_another_request_is_a_conflict(
    world: World, session: SessionId, mutate: Mutation
) -> None:
    await mutate(world, session, REPEAT)
    before = everything(world)
    with pytest.raises(IdempotencyMismatch):
        await mutate(world, session, replace(REPEAT, request_hash=b"another"))
    assert everything(world) == before


@every_mutation
async def test_of_many_repetitions_at_once_one_acts(
    world: World, session: SessionId, mutate: Mutation
) -> None:
    results = await asyncio.gather(*(mutate(world, session, REPEAT) for _ in range(6)))
    assert sum(not result.replayed for result in results) == 1
    assert len({repr(result.value) for result in results}) == 1
    assert await world.problems() == []


async def test_a_refusal_is_not_remembered(world: World, session: SessionId) -> None:
    gone = await world.new_session()
    await world.services.sessions.delete(world.org, gone, SOMEBODY)
    with pytest.raises(NotFound):
        await send(world, gone, REPEAT)
    assert not (await send(world, session, REPEAT)).replayed


async def test_a_refused_mutation_may_be_tried_again_under_its_key(world: World, session: SessionId) -> None:
    await archive(world, session, replace(REPEAT, idempotency_key="first"))
    with pytest.raises(Conflict):
        await send(world, session, REPEAT)
    await world.services.sessions.archive(world.org, session, False, SOMEBODY)
    assert not (await send(world, session, REPEAT)).replayed
    assert (await send(world, session, REPEAT)).replayed


async def test_without_a_key_each_request_is_a_new_one(world: World, session: SessionId) -> None:
    one, two = await world.send(session), await world.send(session)
    assert one.id != two.id


async def test_a_key_is_forgotten_after_a_day(world: World, session: SessionId) -> None:
    await send(world, session, REPEAT)
    world.clock.advance(IDEMPOTENCY_AGE.total_seconds() - 1)
    await world.services.upkeep.purge()
    assert (await send(world, session, REPEAT)).replayed
    world.clock.advance(2)
    await world.services.upkeep.purge()
    assert not (await send(world, session, REPEAT)).replayed


async def test_an_external_id_makes_a_creation_create_or_get(world: World) -> None:
    new = NewSession(external_id="order 7", title="first")
    first = await world.services.sessions.create(world.org, new, SOMEBODY)
    again = await world.services.sessions.create(world.org, replace(new, title="second"), SOMEBODY)
    assert (first.created, again.created) == (True, False)
    assert again.value == first.value


async def test_of_many_creations_under_one_external_id_one_creates(world: World) -> None:
    new = NewSession(external_id="order 7")
    results = await asyncio.gather(
        *(world.services.sessions.create(world.org, new, SOMEBODY) for _ in range(10))
    )
    assert sum(result.created for result in results) == 1
    assert len({result.value.session.id for result in results}) == 1
    assert await world.problems() == []


async def test_a_deleted_sessions_external_id_is_free_again(world: World) -> None:
    new = NewSession(external_id="order 7")
    first = await world.new_session(new)
    await world.services.sessions.delete(world.org, first, SOMEBODY)
    again = await world.services.sessions.create(world.org, new, SOMEBODY)
    assert again.created
    assert again.value.session.id != first
