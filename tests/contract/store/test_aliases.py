"""Aliases: outside names that sessions share, of which the newest is meant."""

import asyncio

from sojourn.domain.filter import All, Compare, Direction, Field, Filter, Not, SessionQuery
from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, a_session, at, insert, record, session_id
from tests.support.databases import Database


async def insert_aliased(store: Store, seconds: float, alias: str | None) -> SessionId:
    return (await insert(store, record(a_session(at(seconds)), alias=alias))).id


async def test_the_newest_session_of_an_alias_is_found_whichever_came_first(store: Store) -> None:
    newest = await insert_aliased(store, 9, "run 7")
    await insert_aliased(store, 3, "run 7")
    await insert_aliased(store, 12, "run 8")
    await insert_aliased(store, 15, None)
    assert await store.reads.find_by_alias(ORG, "run 7") == newest
    assert await store.reads.find_by_alias(ORG, "run") is None
    assert await store.reads.find_by_alias(OrgId(uuid7()), "run 7") is None


async def test_an_alias_can_be_changed_and_taken_away(store: Store) -> None:
    session = await insert_aliased(store, 1, "run 7")
    await store.write(lambda tx: tx.write_alias(ORG, session, "run 8"))
    assert await store.reads.find_by_alias(ORG, "run 7") is None
    assert await store.reads.find_by_alias(ORG, "run 8") == session
    await store.write(lambda tx: tx.write_alias(ORG, session, None))
    assert await store.reads.find_by_alias(ORG, "run 8") is None


async def test_an_alias_of_any_length_is_kept_shown_and_listed(store: Store) -> None:
    for alias in ("x" * 256, "é" * 256, "x" * 100_000):
        session = await insert_aliased(store, 1, alias)
        found = await store.reads.get_session(ORG, session)
        assert found is not None
        assert found.alias == alias
        listed = await store.reads.list_sessions(ORG, SessionQuery(where=Compare("alias", "eq", alias)))
        assert [one.session.id for one in listed] == [session]
        assert await store.reads.find_by_alias(ORG, alias) == (session if len(alias) <= 256 else None)


async def test_sessions_are_selected_and_sorted_by_their_alias(store: Store) -> None:
    for seconds, alias in enumerate(("b", None, "a", "b")):
        await insert_aliased(store, seconds, alias)

    async def aliases(where: Filter, sort: tuple[tuple[Field, Direction], ...] = ()) -> list[str | None]:
        found = await store.reads.list_sessions(ORG, SessionQuery(where=where, order="asc", sort=sort))
        return [one.alias for one in found]

    assert await aliases(Compare("alias", "eq", "b")) == ["b", "b"]
    assert await aliases(Compare("alias", "ne", "b")) == ["a"]
    assert await aliases(Compare("alias", "is_null")) == [None]
    assert await aliases(Compare("alias", "like", "%a%")) == ["a"]
    assert await aliases(Not(Compare("alias", "eq", "b"))) == [None, "a"]
    assert await aliases(All(()), (("alias", "desc"),)) == ["b", "b", "a", None]


async def test_of_many_who_lock_an_alias_at_once_one_finds_that_it_has_no_session(store: Store) -> None:
    async def find_or_make() -> bool:
        async def verb(tx: Tx) -> bool:
            await tx.lock_alias(ORG, "run 7")
            if await tx.find_by_alias(ORG, "run 7") is not None:
                return False
            return await tx.insert_session(record(a_session(id=session_id()), alias="run 7"))

        return await store.write(verb)

    made = await asyncio.gather(*(find_or_make() for _ in range(20)))
    assert made.count(True) == 1


async def test_an_alias_is_found_by_its_index(database: Database, store: Store) -> None:
    await insert_aliased(store, 1, "run 7")
    find = (
        "SELECT id FROM sessions WHERE org = {org} AND alias = 'run 7' AND length(alias) <= 256"
        " ORDER BY created_at DESC, id DESC LIMIT 1"
    )
    if database.dialect == "sqlite":
        (plan,) = database.query("EXPLAIN QUERY PLAN " + find.format(org=f"x'{ORG.hex}'"))
        assert plan[-1] == "SEARCH sessions USING COVERING INDEX sessions_alias (org=? AND alias=?)"
    else:
        # A table of one row is read faster whole, unless that is forbidden.
        database.query("SET enable_seqscan = off")
        plan = database.query("EXPLAIN " + find.format(org=f"'{ORG}'"))
        assert any("sessions_alias" in line for (line,) in plan)
