import asyncio
from dataclasses import replace

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.errors import AlreadyExists, InvalidRequest, NotFound
from sojourn.domain.filter import HasTag, SessionQuery
from sojourn.domain.ids import AgentId, OrgId, SessionId, uuid7
from sojourn.domain.policy import Policy
from sojourn.service.sessions import NewSession, SessionChange
from tests.support.world import SOMEBODY, World


async def test_a_session_reads_back_as_it_was_answered(world: World) -> None:
    new = NewSession(
        title="x",
        metadata={"a": {"b": [1, None]}},
        tags=("red", "blue"),
        external_id="order 7",
        policy=Policy(idle_timeout_seconds=60),
        origin="kodexa",
    )
    made = (await world.services.sessions.create(world.org, new, SOMEBODY)).value
    assert await world.record(made.session.id) == made
    assert (await world.types(made.session.id)) == ["session.created"]


async def test_an_id_given_by_a_client_is_kept_and_taken_once(world: World) -> None:
    id = SessionId(uuid7())
    assert await world.new_session(NewSession(id=id)) == id
    with pytest.raises(AlreadyExists):
        await world.new_session(NewSession(id=id))


async def test_of_many_who_bring_one_id_one_creates(world: World) -> None:
    id = SessionId(uuid7())
    results = await asyncio.gather(
        *(world.new_session(NewSession(id=id)) for _ in range(6)), return_exceptions=True
    )
    assert results.count(id) == 1
    assert sum(isinstance(result, AlreadyExists) for result in results) == 5


async def test_a_deleted_sessions_id_is_never_given_again(world: World) -> None:
    id = await world.new_session()
    await world.services.sessions.delete(world.org, id, SOMEBODY)
    with pytest.raises(AlreadyExists):
        await world.new_session(NewSession(id=id))
    await world.services.upkeep.purge()
    with pytest.raises(AlreadyExists):
        await world.new_session(NewSession(id=id))


async def test_nothing_of_a_deleted_session_is_found(world: World) -> None:
    turn = await world.claimed()
    session, services = turn.session, world.services
    sent = await world.send(session)
    await services.sessions.delete(world.org, session, SOMEBODY)
    with pytest.raises(NotFound):
        await services.sessions.get(world.org, session)
    with pytest.raises(NotFound):
        await services.inputs.get(world.org, session, sent.id)
    with pytest.raises(NotFound):
        await services.inputs.list(world.org, session, None, 0, 10)
    with pytest.raises(NotFound):
        await services.turns.get(world.org, session, turn.turn)
    with pytest.raises(NotFound):
        await services.turns.list(world.org, session, None, 10)
    with pytest.raises(NotFound):
        await services.feed.page(world.org, session, 0, 10)
    with pytest.raises(NotFound):
        await services.sessions.delete(world.org, session, SOMEBODY)
    assert await services.sessions.list(world.org, SessionQuery()) == []
    assert await world.problems() == []


async def test_a_purge_leaves_the_tombstone_and_no_history(world: World) -> None:
    session = await world.new_session()
    await world.send(session)
    kept = await world.new_session()
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    await world.services.upkeep.purge()
    assert {id for (id,) in world.database.query("SELECT session FROM events")} == {kept.bytes}
    tombstone = await world.store.reads.get_tombstone(world.org, session)
    assert tombstone is not None
    assert (tombstone.last_seq, tombstone.by) == (3, SOMEBODY.key)


async def test_a_change_touches_what_it_names_and_nothing_else(world: World) -> None:
    session = await world.new_session(NewSession(title="x", metadata={"a": 1}, tags=("red",)))
    before = await world.record(session)
    sessions = world.services.sessions
    after = await sessions.update(world.org, session, SessionChange(tags=("blue",)), SOMEBODY)
    assert (after.title, after.metadata, after.tags) == ("x", {"a": 1}, ("blue",))
    for tag, found in (("red", 0), ("blue", 1)):
        assert len(await sessions.list(world.org, SessionQuery(where=HasTag(tag)))) == found
    after = await sessions.update(world.org, session, SessionChange(title=None, metadata={}), SOMEBODY)
    assert (after.title, after.metadata, after.tags) == (None, {}, ("blue",))
    assert after.session.active_at == before.session.active_at
    assert await world.problems() == []


async def test_a_session_without_an_agent_gets_the_default_one(world: World) -> None:
    record = await world.record(await world.new_session())
    default = await world.services.agents.resolve(world.org, None)
    assert (record.session.agent, record.session.agent_version) == (default.id, 1)


async def test_a_session_of_an_unknown_agent_is_refused(world: World) -> None:
    for agent in ("nobody", AgentId(uuid7())):
        with pytest.raises(InvalidRequest):
            await world.new_session(NewSession(agent=agent))


async def test_a_session_takes_its_agents_policy_where_it_has_none_of_its_own(world: World) -> None:
    policy = Policy(idle_timeout_seconds=60, max_turn_seconds=10)
    await world.services.agents.create(world.org, AgentSpec(name="strict", policy=policy))
    new = NewSession(agent="strict", policy=Policy(max_turn_seconds=5))
    session = (await world.record(await world.new_session(new))).session
    assert session.policy == replace(policy, max_turn_seconds=5)


async def test_another_organisation_finds_nothing(world: World) -> None:
    session = await world.new_session()
    other = OrgId(uuid7())
    await world.services.access.ensure_org(other, "other")
    with pytest.raises(NotFound):
        await world.services.sessions.get(other, session)
    with pytest.raises(NotFound):
        await world.services.sessions.end(other, session, "completed", None, SOMEBODY)
    with pytest.raises(NotFound):
        await world.services.feed.follow(other, session, 0)
    assert await world.services.sessions.list(other, SessionQuery()) == []
