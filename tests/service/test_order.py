"""Invariant 2: one coordinate. `seq` is dense and the only order; `revision` is something else."""

import asyncio

import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.errors import Conflict, RevisionMismatch, SequenceMismatch
from sojourn.service.inputs import NewInput
from sojourn.service.sessions import SessionChange
from tests.support.world import SOMEBODY, World


async def test_events_of_whoever_comes_at_once_are_dense_from_one(world: World) -> None:
    session = await world.new_session()
    services = world.services
    await asyncio.gather(
        *(world.send(session) for _ in range(10)),
        *(services.sessions.update(world.org, session, SessionChange(title="x"), SOMEBODY) for _ in range(5)),
        *(services.presences.hold(world.org, session, f"holder {number}", None) for number in range(5)),
    )
    seqs = [entry.seq for entry in await world.log(session)]
    assert seqs == list(range(1, (await world.record(session)).session.next_seq))
    assert await world.problems() == []


async def test_a_refused_request_takes_no_seq(world: World) -> None:
    session = await world.new_session()
    await world.services.sessions.end(world.org, session, "failed", None, SOMEBODY)
    with pytest.raises(Conflict):
        await world.services.sessions.end(world.org, session, "failed", None, SOMEBODY)
    await world.send(session)
    assert [entry.seq for entry in await world.log(session)] == [1, 2, 3, 4, 5]


async def test_events_do_not_move_the_revision_and_updates_do(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    await world.claim(session)
    assert (await world.record(session)).session.revision == 0
    changed = await world.services.sessions.update(
        world.org, session, SessionChange(title="x"), SOMEBODY, expected_revision=0
    )
    assert changed.session.revision == 1
    with pytest.raises(RevisionMismatch):
        await world.services.sessions.update(
            world.org, session, SessionChange(title="y"), SOMEBODY, expected_revision=0
        )
    assert (await world.record(session)).title == "x"


async def test_of_many_who_expect_the_same_head_one_writes(world: World) -> None:
    session = await world.new_session()
    new = NewInput(content=(TextPart("mine"),), expected_seq=1)
    results = await asyncio.gather(
        *(world.services.inputs.send(world.org, session, new, SOMEBODY) for _ in range(5)),
        return_exceptions=True,
    )
    refusals = [result for result in results if isinstance(result, SequenceMismatch)]
    assert len(refusals) == 4
    assert {refusal.expected for refusal in refusals} == {1}
    assert (await world.types(session)).count("input.received") == 1
