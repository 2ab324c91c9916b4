"""What a filter reads beyond the columns, and lists that are sorted and numbered instead of followed."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sojourn.domain.filter import (
    All,
    AnyOf,
    Compare,
    Direction,
    Expression,
    FacetPath,
    Filter,
    FirstOf,
    MetadataPath,
    Not,
    OneOf,
    Operator,
    Same,
    SessionQuery,
    Value,
    Word,
)
from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.domain.session import Activity, SessionStatus
from sojourn.ports import Store
from sojourn.store.where import NumberedBinder, condition, order
from tests.contract.store.make import NO_USAGE, ORG, a_session, at, insert, record

DIALECT = "vendor"


async def add(store: Store, title: str, facet: Any = None, metadata: Any = None) -> SessionId:
    """A session with a title to know it by."""
    session = await insert(store, record(title=title, metadata=metadata or {}))
    if facet is not None:
        data = msgspec.json.encode(facet).decode()
        await store.write(lambda tx: tx.write_facet(ORG, session.id, DIALECT, data))
    return session.id


async def titles(store: Store, where: Filter) -> set[str | None]:
    found = await store.reads.list_sessions(ORG, SessionQuery(where=where, limit=100))
    assert await store.reads.count_sessions(ORG, where) == len(found)
    return {one.title for one in found}


VALUES = {"text": "b", "digits": "5", "whole": 5, "half": 2.5, "yes": True, "null": None, "list": ["b"]}


@pytest.mark.parametrize("place", ["facet", "metadata"])
@pytest.mark.parametrize(
    ("kind", "op", "value", "expected"),
    [
        ("text", "eq", "b", {"text"}),
        ("text", "ne", "b", {"digits"}),
        ("text", "ge", "5", {"text", "digits"}),
        ("text", "like", "B%", {"text"}),
        ("number", "eq", 5, {"whole"}),
        ("number", "lt", 5, {"half"}),
        ("number", "ge", 2.5, {"half", "whole"}),
        ("boolean", "eq", "true", {"yes"}),
        ("boolean", "eq", "false", set[str]()),
        ("any", "not_null", None, {"text", "digits", "whole", "half", "yes", "list"}),
        ("any", "is_null", None, {"null", "absent", "without"}),
    ],
)
async def test_a_path_compares_what_is_of_the_kind_that_it_asks_for(
    store: Store, place: str, kind: Any, op: Operator, value: Value, expected: set[str]
) -> None:
    documents = {name: {"a.b": {"c": value}} for name, value in VALUES.items()} | {"absent": {}}
    for name, document in documents.items():
        await add(store, name, **{place: document})
    await add(store, "without")
    path = ("a.b", "c")
    of = FacetPath(DIALECT, path, kind) if place == "facet" else MetadataPath(path, kind)
    assert await titles(store, Compare(of, op, value)) == expected


async def test_a_facet_of_another_dialect_is_not_read(store: Store) -> None:
    await add(store, "one", {"name": "x"})
    assert await titles(store, Compare(FacetPath(DIALECT, ("name",)), "eq", "x")) == {"one"}
    assert await titles(store, Compare(FacetPath("other", ("name",)), "eq", "x")) == set()


async def test_the_first_value_that_is_there_counts_and_then_the_word_of_the_state(store: Store) -> None:
    word = Word(((Compare("title", "eq", "a"), "first"), (Compare("title", "eq", "b"), "second")), "other")
    shown = FirstOf((FacetPath(DIALECT, ("word",)), word))
    for title in ("a", "b", "c"):
        await add(store, title)
    await add(store, "d", {"word": "second"})
    assert await titles(store, Compare(shown, "eq", "second")) == {"b", "d"}
    assert await titles(store, Compare(shown, "lt", "p")) == {"a", "c"}
    assert await titles(store, OneOf(shown, ("first", "other"))) == {"a", "c"}
    assert await titles(store, OneOf(shown, ())) == set()
    assert await titles(store, Not(Compare(shown, "like", "%ST"))) == {"b", "c", "d"}


async def test_a_session_was_invoked_once_it_ran(store: Store) -> None:
    ran, _ = await insert(store, record(title="ran")), await add(store, "never")
    await store.write(lambda tx: tx.write_session(replace(ran, turns=1, active_at=at(7)), 0, NO_USAGE))
    assert await titles(store, Compare("invoked_at", "eq", at(7))) == {"ran"}
    assert await titles(store, Compare("invoked_at", "is_null")) == {"never"}


async def test_a_column_is_compared_with_what_a_facet_says(store: Store) -> None:
    same = All(
        (
            Same("fence", FacetPath(DIALECT, ("then", "fence"), "number")),
            Same("activity", FacetPath(DIALECT, ("then", "activity"))),
        )
    )
    await add(store, "same", {"then": {"fence": 0, "activity": "idle"}})
    await add(store, "another fence", {"then": {"fence": 1, "activity": "idle"}})
    await add(store, "a text", {"then": {"fence": "0", "activity": "idle"}})
    await add(store, "nothing", {"then": {"fence": 0}})
    await add(store, "no facet")
    assert await titles(store, same) == {"same"}
    assert await titles(store, Not(same)) == {"another fence", "a text", "nothing", "no facet"}


async def test_what_a_session_did_when_it_ended_is_kept_and_compared(store: Store) -> None:
    ended = {"status": SessionStatus.EXPIRED, "ended_at": at(1)}
    for doing in (Activity.BUSY, Activity.IDLE, None):
        session = await insert(store, record(title=str(doing)))
        over = replace(session, **ended, ended_activity=doing)
        await store.write(lambda tx, over=over: tx.write_session(over, 0, NO_USAGE))
        kept = await store.reads.get_session(ORG, session.id)
        assert kept is not None
        assert kept.session.ended_activity is doing
    assert await titles(store, Compare("ended_activity", "eq", "busy")) == {"busy"}
    assert await titles(store, Compare("ended_activity", "is_null")) == {"None"}


async def test_a_list_is_sorted_by_values_with_nulls_last_in_either_direction(store: Store) -> None:
    async def in_order(*sort: tuple[Expression, Direction]) -> list[str | None]:
        return [one.title for one in await store.reads.list_sessions(ORG, SessionQuery(sort=sort))]

    for title, number in (("b", 10), ("a", 9), ("C", None)):
        await add(store, title, {"n": number, "t": title})
    number, text = FacetPath(DIALECT, ("n",), "number"), FacetPath(DIALECT, ("t",))
    assert await in_order((number, "asc")) == ["a", "b", "C"]
    assert await in_order((number, "desc")) == ["b", "a", "C"]
    assert await in_order((text, "asc")) == ["C", "a", "b"]
    assert await in_order(("title", "desc")) == ["b", "a", "C"]
    same = FirstOf((MetadataPath(("none",)), Word((), "same")))
    assert await in_order((same, "asc"), (text, "desc")) == ["b", "a", "C"]


async def test_numbered_pages_of_a_sorted_list_hold_every_session_once(store: Store) -> None:
    sessions = [a_session(created_at=at(number // 3)) for number in range(10)]
    for session in sessions:
        await insert(store, record(session))
    sorts: tuple[tuple[tuple[Expression, Direction], ...], ...] = (
        (("created_at", "desc"),),
        (("status", "asc"),),
        (),
    )
    for sort in sorts:
        seen: list[SessionId] = []
        for offset in range(0, 12, 4):
            query = SessionQuery(sort=sort, order="asc", offset=offset, limit=4)
            seen += [one.session.id for one in await store.reads.list_sessions(ORG, query)]
        assert sorted(seen) == sorted(session.id for session in sessions)


async def test_equals_are_listed_by_their_ids(store: Store) -> None:
    ids = [(await insert(store)).id for _ in range(5)]
    query = SessionQuery(sort=(("status", "desc"),))
    assert [one.session.id for one in await store.reads.list_sessions(ORG, query)] == sorted(ids)


async def test_a_session_comes_with_the_facet_that_is_asked_for(store: Store) -> None:
    one, other = await add(store, "one", {"name": "x"}), await add(store, "other")
    for session, facet in ((one, '{"name":"x"}'), (other, None)):
        found = await store.reads.get_session(ORG, session, DIALECT)
        assert found is not None
        assert found.facet == facet
        bare = await store.reads.get_session(ORG, session)
        assert bare is not None
        assert bare.facet is None
    listed = await store.reads.list_sessions(ORG, SessionQuery(facet=DIALECT, sort=(("title", "asc"),)))
    assert [each.facet for each in listed] == ['{"name":"x"}', None]


async def test_a_count_is_of_its_organisation_and_its_filter(store: Store) -> None:
    for _ in range(3):
        await insert(store)
    await insert(store, record(a_session(created_at=at(60))))
    later = Compare("created_at", "gt", at(0) + timedelta(seconds=1))
    assert await store.reads.count_sessions(ORG, All(())) == 4
    assert await store.reads.count_sessions(ORG, later) == 1
    assert await store.reads.count_sessions(ORG, AnyOf(())) == 0
    assert await store.reads.count_sessions(OrgId(uuid7()), All(())) == 0


def test_postgres_sorts_texts_by_code_points_and_columns_by_their_index() -> None:
    bind = NumberedBinder("postgres")
    assert order("created_at", "desc", bind, "postgres") == "s.created_at DESC"
    assert order("title", "asc", bind, "postgres") == 's.title COLLATE "C" ASC NULLS LAST'
    ordered = condition(Compare(Word((), "x"), "lt", "a"), bind, "postgres")
    assert ordered.endswith('COLLATE "C"')
