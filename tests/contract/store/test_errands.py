"""Errands: what a transaction leaves to be done to another session."""

import asyncio

from sojourn.domain.actor import Actor
from sojourn.domain.errand import AnswerParent, EndChildren, Errand, ErrandId, StartChild, StopChild, Task
from sojourn.domain.filter import Compare, SessionQuery
from sojourn.domain.ids import AskId, KeyId, OrgId, TurnId, uuid7
from sojourn.domain.kin import Kin
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, a_session, at, insert, insert_org, record, refused, session_id
from tests.support.databases import Database

BY = Actor("human", KeyId(uuid7()))
TASKS: tuple[Task, ...] = (
    StartChild(ask=AskId(uuid7()), number=3),
    AnswerParent(
        parent=session_id(), ask=AskId(uuid7()), turn=TurnId(uuid7()), end="failed", error="so it is"
    ),
    StopChild(child=session_id(), ask=AskId(uuid7()), by=BY),
    EndChildren(upto=7, status="expired", reason="over", by=Actor("timeout")),
)


def an_errand(task: Task = TASKS[0], org: OrgId = ORG) -> Errand:
    return Errand(org=org, id=ErrandId(uuid7()), session=session_id(), task=task)


async def leave(store: Store, *errands: Errand, seconds: float = 0) -> None:
    async def verb(tx: Tx) -> None:
        for errand in errands:
            await tx.insert_errand(errand, at(seconds))

    await store.write(verb)


async def test_errands_read_back_as_they_were_left_once_they_are_due(store: Store) -> None:
    other = OrgId(uuid7())
    for org in (ORG, other):
        await insert_org(store, org)
    errands = [*(an_errand(task) for task in TASKS), an_errand(org=other)]
    for seconds, errand in enumerate(errands):
        await leave(store, errand, seconds=seconds)
    assert await store.reads.due_errands(at(3), 10) == errands[:4]
    assert await store.reads.due_errands(at(9), 2) == errands[:2]
    assert await store.reads.due_errands(at(9), 10) == errands


async def test_an_errand_is_settled_by_one_of_those_who_try_at_once(store: Store) -> None:
    await insert_org(store)
    errand = an_errand()
    await leave(store, errand)
    settled = await asyncio.gather(*(store.write(lambda tx: tx.settle_errand(errand)) for _ in range(5)))
    assert sorted(settled) == [False] * 4 + [True]
    assert await store.reads.due_errands(at(0), 10) == []


async def test_an_errand_whose_doing_fails_is_there_still(store: Store) -> None:
    await insert_org(store)
    errand = an_errand()
    await leave(store, errand)
    await refused(store, lambda tx: tx.settle_errand(errand))
    assert await store.reads.due_errands(at(0), 10) == [errand]
    await store.write(lambda tx: tx.postpone_errand(errand, at(5)))
    assert await store.reads.due_errands(at(4), 10) == []
    ((again, attempts),) = ((one.id, one.attempts) for one in await store.reads.due_errands(at(5), 10))
    assert (again, attempts) == (errand.id, 1)


async def test_whoever_listens_is_told_of_the_commits_that_have_left_errands_and_of_no_other(
    store: Store,
) -> None:
    await insert_org(store)
    told: list[None] = []
    store.on_errands(lambda: told.append(None))
    await insert(store)
    await refused(store, lambda tx: tx.insert_errand(an_errand(), at(0)))
    assert told == []
    await leave(store, an_errand(), an_errand())
    assert len(told) == 1
    assert len(await store.reads.due_errands(at(0), 10)) == 2


async def test_a_sessions_place_in_its_tree_reads_back_and_its_children_are_found(store: Store) -> None:
    top = await insert(store)
    kin = Kin(ancestors=(top.id,), turn=TurnId(uuid7()), ask=AskId(uuid7()), awaited=True)
    children = [await insert(store, record(a_session(at(n), kin=kin))) for n in range(2)]
    await insert(store, record(a_session(kin=Kin(ancestors=(top.id, children[0].id)))))
    found = await store.reads.list_sessions(
        ORG, SessionQuery(where=Compare("parent", "eq", top.id), order="asc")
    )
    assert [one.session for one in found] == children
    changed = children[0]
    told = await store.reads.get_session(ORG, changed.id)
    assert told is not None
    assert told.session.kin == kin


async def test_children_are_found_by_their_index(database: Database, store: Store) -> None:
    top = await insert(store)
    await insert(store, record(a_session(kin=Kin(ancestors=(top.id,)))))
    find = "SELECT id FROM sessions WHERE org = {org} AND parent = {parent} ORDER BY created_at, id"
    if database.dialect == "sqlite":
        text = find.format(org=f"x'{ORG.hex}'", parent=f"x'{top.id.hex}'")
        (plan,) = database.query("EXPLAIN QUERY PLAN " + text)
        assert plan[-1] == "SEARCH sessions USING COVERING INDEX sessions_children (org=? AND parent=?)"
    else:
        # A table of two rows is read faster whole, unless that is forbidden.
        database.query("SET enable_seqscan = off")
        plan = database.query("EXPLAIN " + find.format(org=f"'{ORG}'", parent=f"'{top.id}'"))
        assert any("sessions_children" in line for (line,) in plan)
