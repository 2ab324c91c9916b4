import asyncio
from dataclasses import replace

import pytest

from sojourn.domain.agent import Agent, AgentPosition, AgentQuery, AgentSpec
from sojourn.domain.ids import AgentId, OrgId, uuid7
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.worker import WorkerLimits
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, a_key, an_agent, at, insert_org


@pytest.fixture(autouse=True)
async def org(store: Store) -> None:
    await insert_org(store)


async def test_an_agent_reads_back_by_id_by_name_and_by_version(store: Store) -> None:
    spec = AgentSpec(
        name="writer",
        instructions="Write.",
        runner="acp",
        model="a/b",
        tools=("files",),
        runner_config={"command": ["x"]},
        policy=Policy(max_turn_seconds=9),
        metadata={"a": {"b": None}},
        description="Writes.",
        facets={"vendor": {"tags": ["x"]}},
    )
    agent = an_agent(spec=spec)
    assert await store.write(lambda tx: tx.insert_agent(ORG, agent))
    assert await store.reads.get_agent(ORG, agent.id) == agent
    assert await store.reads.get_agent(ORG, agent.id, 1) == agent
    assert await store.reads.find_agent(ORG, "writer") == agent
    assert await store.reads.get_agent(ORG, agent.id, 2) is None
    assert await store.reads.find_agent(ORG, "Writer") is None
    assert await store.reads.get_agent(OrgId(uuid7()), agent.id) is None


async def test_an_agents_name_is_taken_once(store: Store) -> None:
    assert await store.write(lambda tx: tx.insert_agent(ORG, an_agent("writer")))
    assert not await store.write(lambda tx: tx.insert_agent(ORG, an_agent("writer")))
    assert len(await store.reads.list_agents(ORG, AgentQuery())) == 1


async def test_a_next_version_is_current_and_the_former_one_stays(store: Store) -> None:
    first = an_agent()
    second = replace(first, version=2, spec=AgentSpec(name="editor"), updated_at=at(5))
    await store.write(lambda tx: tx.insert_agent(ORG, first))
    await store.write(lambda tx: tx.insert_agent_version(ORG, second))
    assert await store.reads.get_agent(ORG, first.id) == second
    assert await store.reads.get_agent(ORG, first.id, 1) == first
    assert await store.reads.find_agent(ORG, "writer") is None
    assert await store.reads.find_agent(ORG, "editor") == second


async def test_updates_of_one_agent_take_turns(store: Store) -> None:
    agent = an_agent()
    await store.write(lambda tx: tx.insert_agent(ORG, agent))

    async def update(tx: Tx) -> None:
        current = await tx.lock_agent(ORG, agent.id)
        assert current is not None
        await tx.insert_agent_version(ORG, replace(current, version=current.version + 1))

    await asyncio.gather(*(store.write(update) for _ in range(10)))
    last = await store.reads.get_agent(ORG, agent.id)
    assert last is not None
    assert last.version == 11
    assert await store.write(lambda tx: tx.lock_agent(ORG, AgentId(uuid7()))) is None


async def test_an_agents_id_is_taken_once(store: Store) -> None:
    agent = an_agent("writer")
    assert await store.write(lambda tx: tx.insert_agent(ORG, agent))
    other = replace(agent, spec=AgentSpec(name="editor"))
    assert not await store.write(lambda tx: tx.insert_agent(ORG, other))
    assert await store.reads.get_agent(ORG, agent.id) == agent


async def some_agents(store: Store, *specs: AgentSpec) -> list[Agent]:
    """Made one after the other, with ids that sort the other way round."""
    ids = sorted((AgentId(uuid7()) for _ in specs), reverse=True)
    made = [
        replace(an_agent(spec=spec), id=id, created_at=at(n))
        for n, (id, spec) in enumerate(zip(ids, specs, strict=True))
    ]
    for agent in made:
        assert await store.write(lambda tx, agent=agent: tx.insert_agent(ORG, agent))
    return [found for agent in made if (found := await store.reads.get_agent(ORG, agent.id)) is not None]


async def test_agents_are_paged_in_the_order_in_which_they_were_made(store: Store) -> None:
    agents = await some_agents(store, *(AgentSpec(name=f"agent {number}") for number in range(5)))
    after = AgentPosition(agents[1].created_at, agents[1].id)
    assert await store.reads.list_agents(ORG, AgentQuery(limit=2)) == agents[:2]
    assert await store.reads.list_agents(ORG, AgentQuery(after=after)) == agents[2:]
    assert await store.reads.list_agents(ORG, AgentQuery(after=after, order="desc")) == agents[:1]
    newest_first = AgentQuery(order="desc", offset=1, limit=2)
    assert await store.reads.list_agents(ORG, newest_first) == [agents[3], agents[2]]
    assert await store.reads.count_agents(ORG, newest_first) == 5
    assert await store.reads.count_agents(OrgId(uuid7()), AgentQuery()) == 0


async def test_agents_are_found_by_their_names_and_descriptions(store: Store) -> None:
    first, second, third = await some_agents(
        store,
        AgentSpec(name="Writer", description="Says 100%_more"),
        AgentSpec(name="editor", description="Mends what a WRITER wrote"),
        AgentSpec(name="other"),
    )

    async def found(search: str) -> list[Agent]:
        query = AgentQuery(search=search)
        agents = list(await store.reads.list_agents(ORG, query))
        assert await store.reads.count_agents(ORG, query) == len(agents)
        return agents

    assert await found("writer") == [first, second]
    assert await found("%_") == [first]
    assert await found("") == [first, second, third]
    assert await found("\\") == await found("'") == []


async def test_an_archived_agent_is_told_from_one_in_use(store: Store) -> None:
    kept, archived = await some_agents(store, AgentSpec(name="kept"), AgentSpec(name="archived"))
    await store.write(lambda tx: tx.archive_agent(ORG, archived.id, at(9)))
    shown = replace(archived, archived_at=at(9))
    assert await store.reads.get_agent(ORG, archived.id) == shown
    assert await store.reads.find_agent(ORG, "archived") == shown
    assert await store.reads.list_agents(ORG, AgentQuery(archived=True)) == [shown]
    assert await store.reads.list_agents(ORG, AgentQuery(archived=False)) == [kept]
    assert await store.reads.count_agents(ORG, AgentQuery()) == 2
    await store.write(lambda tx: tx.archive_agent(ORG, archived.id, None))
    assert await store.reads.get_agent(ORG, archived.id) == archived


async def test_a_key_is_found_by_its_hash_until_it_is_revoked(store: Store) -> None:
    key = a_key(token_hash=b"\x00\xff" * 16)
    assert not await store.reads.has_keys(ORG)
    await store.write(lambda tx: tx.write_key(key))
    assert await store.reads.has_keys(ORG)
    assert await store.reads.find_key(key.token_hash) == key
    assert await store.reads.find_key(b"\x00" * 32) is None
    revoked = replace(key, revoked_at=at(3))
    await store.write(lambda tx: tx.write_key(revoked))
    assert await store.reads.find_key(key.token_hash) == revoked


async def test_two_keys_never_share_a_hash(store: Store) -> None:
    await store.write(lambda tx: tx.write_key(a_key()))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda tx: tx.write_key(a_key()))


async def test_a_key_of_an_unknown_organisation_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await store.write(lambda tx: tx.write_key(a_key(OrgId(uuid7()))))


async def test_an_organisation_may_be_inserted_again(store: Store) -> None:
    await insert_org(store)
    assert not await store.reads.has_keys(ORG)


async def test_a_sealed_secret_is_replaced_and_read_as_it_was_sealed(store: Store) -> None:
    assert await store.reads.get_secret(ORG, "workspace") is None
    for sealed in (b"\x00one", b"\xfftwo"):
        await store.write(lambda tx, sealed=sealed: tx.write_secret(ORG, "workspace", sealed, at(1)))
    assert await store.reads.get_secret(ORG, "workspace") == b"\xfftwo"
    assert await store.reads.get_secret(OrgId(uuid7()), "workspace") is None


async def test_a_secret_is_deleted_once(store: Store) -> None:
    async def put(tx: Tx) -> None:
        await tx.write_secret(ORG, "name", b"sealed", at(1))

    await store.write(put)
    assert await store.write(lambda tx: tx.delete_secret(ORG, "name"))
    assert await store.reads.get_secret(ORG, "name") is None
    assert not await store.write(lambda tx: tx.delete_secret(ORG, "name"))


async def test_an_organisation_keeps_its_name_policy_and_revision(store: Store) -> None:
    found = await store.reads.get_org(ORG)
    assert found is not None
    assert (found.id, found.policy, found.revision) == (ORG, NO_POLICY, 0)
    changed = replace(found, name="renamed", policy=Policy(reopen=7.5, retain_seconds=1), revision=1)

    async def verb(tx: Tx) -> None:
        assert await tx.lock_org(ORG) == found
        await tx.write_org(changed)

    await store.write(verb)
    assert await store.reads.get_org(ORG) == changed
    await store.write(lambda tx: tx.write_org(found))
    assert await store.reads.get_org(ORG) == found
    assert await store.reads.get_org(OrgId(uuid7())) is None


async def test_a_key_reads_back_with_its_limits_and_every_key_is_listed(store: Store) -> None:
    limits = WorkerLimits(runners=("external",), pools=("gpu",), agents=(AgentId(uuid7()),))
    plain = a_key(token_hash=bytes([1]) * 32)
    limited = replace(a_key(token_hash=bytes([2]) * 32), role="worker", limits=limits)
    revoked = replace(a_key(token_hash=bytes([3]) * 32), role="reporter", revoked_at=at(1))
    for key in (plain, limited, revoked):
        await store.write(lambda tx, key=key: tx.write_key(key))
    assert await store.reads.get_key(ORG, limited.id) == limited
    assert await store.reads.get_key(OrgId(uuid7()), limited.id) is None
    assert await store.reads.find_key(limited.token_hash) == limited
    assert list(await store.reads.list_keys(ORG)) == sorted([plain, limited, revoked], key=lambda key: key.id)
    assert await store.reads.list_keys(OrgId(uuid7())) == []
