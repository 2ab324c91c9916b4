from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn.domain.content import Usage
from sojourn.domain.filter import (
    EVERYTHING,
    All,
    AnyOf,
    Compare,
    Field,
    Filter,
    HasTag,
    MetadataIs,
    Not,
    OneOf,
    Operator,
    Position,
    Same,
    SessionQuery,
    Value,
    Word,
)
from sojourn.domain.ids import AgentId, OrgId, uuid7
from sojourn.domain.record import SessionRecord, SessionTotals
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.turn import TurnSpan, TurnStatus
from sojourn.ports import Store, Tx
from sojourn.store.where import NumberedBinder, condition
from tests.contract.store.make import (
    NO_USAGE,
    ORG,
    a_session,
    a_tombstone,
    a_turn,
    an_ask,
    at,
    insert_all,
    record,
)

AGENTS = (AgentId(uuid7()), AgentId(uuid7()))
KEYS = ("colour", "a.b", 'say "hi"', "it's", "$", "", "näme", "a]b[0")
FIELDS: tuple[Field, ...] = (
    "title",
    "external_id",
    "origin",
    "status",
    "activity",
    "agent",
    "created_at",
    "ended_at",
)
OPERATORS: tuple[Operator, ...] = ("eq", "ne", "lt", "le", "gt", "ge", "is_null", "not_null")


def various() -> list[SessionRecord]:
    """Sessions that differ in every field that a filter reads; some were created in the same microsecond."""
    records: list[SessionRecord] = []
    for number in range(12):
        session = a_session(created_at=at(number // 2), agent=AGENTS[number % 2])
        metadata: dict[str, object] = {KEYS[number % len(KEYS)]: "green", "count": number, "list": ["green"]}
        records.append(
            record(
                session,
                title=None if number % 3 == 0 else f"Title {number % 4}",
                origin="kodexa" if number % 4 == 0 else "native",
                external_id=None if number % 2 else f"name {number}",
                tags=tuple(tag for tag in ("red", "blue") if number % (len(tag) - 1)),
                metadata=metadata if number % 5 else {},
            )
        )
    return records


async def fill(store: Store) -> Sequence[SessionRecord]:
    """Half of the sessions are ended, one is busy."""
    records = various()
    await insert_all(store, records)
    turn = a_turn()
    for number, one in enumerate(records):
        session = one.session
        if number % 2:
            session = replace(session, status=SessionStatus.FAILED, ended_at=at(number))
        elif number == 4:
            session = replace(session, activity=Activity.BUSY, open_turn=turn.id)
        records[number] = replace(one, session=session)
        await store.write(lambda tx, session=session: tx.write_session(session, 0, NO_USAGE))
    return records


def holds(where: Filter, one: SessionRecord) -> bool:
    match where:
        case Compare() | OneOf():
            return compares(where, one)
        case Same():
            raise NotImplementedError("no test of this file draws one")
        case HasTag(tag):
            return tag in one.tags
        case MetadataIs(key, value):
            return one.metadata.get(key) == value
        case All(parts):
            return all(holds(part, one) for part in parts)
        case AnyOf(parts):
            return any(holds(part, one) for part in parts)
        case Not(part):
            return not holds(part, one)


def compares(where: Compare | OneOf, one: SessionRecord) -> bool:
    """A comparison with what is not there does not hold, and nor does its opposite."""
    assert isinstance(where.field, str)
    owner = one if where.field in ("title", "external_id", "origin") else one.session
    left = text_of(getattr(owner, where.field))
    if isinstance(where, OneOf):
        return left is not None and left in map(text_of, where.values)
    if where.op in ("is_null", "not_null"):
        return (left is None) == (where.op == "is_null")
    right = text_of(where.value)
    return left is not None and right is not None and ordered(where.op, left, right)


def text_of(value: Value) -> str | None:
    """Texts that are ordered as their values are."""
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


def ordered(op: Operator, left: str, right: str) -> bool:
    return {
        "eq": left == right,
        "ne": left != right,
        "lt": left < right,
        "le": left <= right,
        "gt": left > right,
        "ge": left >= right,
    }[op]


def values_for(field: Field) -> st.SearchStrategy[Value]:
    match field:
        case "agent":
            return st.sampled_from(AGENTS)
        case "created_at" | "ended_at":
            return st.integers(0, 11).map(at)
        case "status":
            return st.sampled_from([status.value for status in SessionStatus])
        case "activity":
            return st.sampled_from([activity.value for activity in Activity])
        case _:
            return st.sampled_from(["Title 1", "Title 2", "name 4", "name 6", "native", "kodexa", ""])


def comparisons(field: Field) -> st.SearchStrategy[Filter]:
    operators = st.sampled_from(OPERATORS)
    one_of = st.lists(values_for(field), max_size=3).map(tuple)
    return st.builds(Compare, st.just(field), operators, values_for(field)) | st.builds(
        OneOf, st.just(field), one_of
    )


filters: st.SearchStrategy[Filter] = st.recursive(
    st.sampled_from(FIELDS).flatmap(comparisons)
    | st.builds(HasTag, st.sampled_from(["red", "blue", "green"]))
    | st.builds(
        MetadataIs, st.sampled_from([*KEYS, "count", "list", "nowhere"]), st.sampled_from(["green", "1"])
    ),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts)))
    ),
    max_leaves=5,
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_every_filter_finds_what_it_says(store: Store, data: st.DataObject) -> None:
    records = FILLED.get(store) or await fill(store)
    FILLED[store] = records
    where = data.draw(filters)
    found = await store.reads.list_sessions(ORG, SessionQuery(where=where, order="asc", limit=100))
    expected = sorted(
        (one for one in records if holds(where, one)),
        key=lambda one: (one.session.created_at, one.session.id.bytes),
    )
    assert [one.session.id for one in found] == [one.session.id for one in expected]


FILLED: dict[Store, Sequence[SessionRecord]] = {}


async def test_a_text_is_like_another_whatever_the_case_of_its_letters(store: Store) -> None:
    await insert_all(store, [record(title=title) for title in ("Green tea", "GREEN", "50% green", "blue")])

    async def titles(pattern: str) -> set[str | None]:
        where = Compare("title", "like", pattern)
        return {one.title for one in await store.reads.list_sessions(ORG, SessionQuery(where=where))}

    assert await titles("green%") == {"Green tea", "GREEN"}
    assert await titles("%_reen%") == {"Green tea", "GREEN", "50% green"}
    assert await titles("50\\% %") == {"50% green"}
    assert await titles("green") == {"GREEN"}


async def test_letters_of_any_alphabet_are_alike_in_either_case(store: Store) -> None:
    await insert_all(store, [record(title=title) for title in ("Для ЖИЛЛЯ", "ÄPFEL", "Apfel")])

    async def titles(pattern: str) -> set[str | None]:
        where = Compare("title", "like", pattern)
        return {one.title for one in await store.reads.list_sessions(ORG, SessionQuery(where=where))}

    assert await titles("%жилля") == {"Для ЖИЛЛЯ"}
    assert await titles("äp_el") == {"ÄPFEL"}
    assert await titles("%ДЛЯ%") == {"Для ЖИЛЛЯ"}


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 5, 12])
async def test_pages_in_either_order_hold_every_session_once(store: Store, order: str, limit: int) -> None:
    records = await fill(store)
    query = SessionQuery(order="asc" if order == "asc" else "desc", limit=limit)
    seen: list[SessionRecord] = []
    while page := await store.reads.list_sessions(ORG, query):
        assert len(page) <= limit
        seen.extend(page)
        query = replace(query, after=Position(page[-1].session.created_at, page[-1].session.id))
    expected = sorted(
        records, key=lambda one: (one.session.created_at, one.session.id.bytes), reverse=order == "desc"
    )
    assert seen == expected


async def test_a_page_goes_on_behind_a_session_that_was_deleted_meanwhile(store: Store) -> None:
    ids = sorted((one.session.created_at, one.session.id) for one in await fill(store))
    after = Position(ids[5][0], ids[5][1])
    database_row = await store.reads.get_session(ORG, after.id)
    assert database_row is not None
    await store.write(lambda tx: tx.delete_session(database_row, a_tombstone(after.id)))
    page = await store.reads.list_sessions(ORG, SessionQuery(order="asc", after=after, limit=2))
    assert [one.session.id for one in page] == [id for _, id in ids[6:8]]


async def test_a_list_holds_only_its_organisation(store: Store) -> None:
    await fill(store)
    assert await store.reads.list_sessions(OrgId(uuid7()), SessionQuery(where=EVERYTHING)) == []


def test_postgres_orders_texts_by_code_points_whatever_its_locale() -> None:
    text = condition(Compare("title", "lt", "a"), NumberedBinder("postgres"), "postgres")
    assert text == 's.title < $1 COLLATE "C"'


async def test_values_of_a_filter_are_never_read_as_sql(store: Store) -> None:
    await fill(store)
    hostile = "' OR 1=1 --"
    for where in (Compare("title", "eq", hostile), HasTag(hostile), MetadataIs(hostile, hostile)):
        assert await store.reads.list_sessions(ORG, SessionQuery(where=where)) == []


async def test_sessions_are_counted_by_what_a_text_says_of_them(store: Store) -> None:
    agents = [AGENTS[0], AGENTS[0], AGENTS[1]]
    titles = ["a", None, "b"]
    for number, (agent, title) in enumerate(zip(agents, titles, strict=True)):
        one = record(a_session(agent=agent, created_at=at(number)))
        await insert_all(store, [replace(one, title=title)])
    by_agent = await store.reads.count_sessions_by(ORG, EVERYTHING, "agent")
    assert by_agent == {str(AGENTS[0]): 2, str(AGENTS[1]): 1}
    assert await store.reads.count_sessions_by(ORG, EVERYTHING, "title") == {"a": 1, "b": 1}
    word = Word(((Compare("title", "is_null"), "nameless"),), "named")
    assert await store.reads.count_sessions_by(ORG, Compare("agent", "eq", AGENTS[0]), word) == {
        "nameless": 1,
        "named": 1,
    }


async def test_sessions_are_added_up(store: Store) -> None:
    first, second, other = (
        a_session(agent=AGENTS[number // 2], created_at=at(number)) for number in range(3)
    )
    await insert_all(store, [record(one) for one in (first, second, other)])
    used = Usage(1, 2, 3, 4, Decimal("0.000000000001"))
    changes = (
        replace(first, turns=2, active_at=at(5)),
        replace(second, turns=1, active_at=at(3), status=SessionStatus.FAILED, ended_at=at(4)),
        replace(other, turns=7),
    )
    for changed in changes:
        await store.write(lambda tx, changed=changed: tx.write_session(changed, 0, used))
    totals = await store.reads.session_totals(ORG, Compare("agent", "eq", AGENTS[0]))
    assert totals == SessionTotals(
        sessions=2,
        turns=3,
        usage=Usage(2, 4, 6, 8, Decimal("0.000000000002")),
        duration_seconds=8,
        first_at=at(0),
        last_at=at(1),
        active_at=at(5),
    )
    nothing = await store.reads.session_totals(OrgId(uuid7()), EVERYTHING)
    assert nothing == SessionTotals(
        sessions=0, turns=0, usage=Usage(), duration_seconds=0, first_at=None, last_at=None, active_at=None
    )


async def test_sessions_are_selected_by_the_newest_of_their_turns(store: Store) -> None:
    never, ran, runs = (a_session(created_at=at(number)) for number in range(3))
    await insert_all(store, [record(one) for one in (never, ran, runs)])

    async def verb(tx: Tx) -> None:
        done = a_turn(status=TurnStatus.COMPLETED, reason="end_turn", first_seq=2, started_at=at(5))
        failed = a_turn(
            status=TurnStatus.FAILED, reason="error", first_seq=9, started_at=at(7), ended_at=at(8)
        )
        await tx.write_turn(ORG, ran.id, done)
        await tx.write_turn(ORG, ran.id, failed)
        waiting = a_turn(first_seq=2, open_asks=2)
        await tx.write_turn(ORG, runs.id, waiting)
        for kind in ("session", "approval"):
            await tx.write_ask(ORG, runs.id, an_ask(waiting.id, kind=kind))

    await store.write(verb)
    for status, found in (("failed", [ran.id]), ("completed", []), ("queued", [runs.id])):
        query = SessionQuery(where=Compare("last_turn", "eq", status))
        assert [one.session.id for one in await store.reads.list_sessions(ORG, query)] == found
    asking = SessionQuery(where=Compare("last_turn_asks", "eq", 2))
    assert [one.session.id for one in await store.reads.list_sessions(ORG, asking)] == [runs.id]
    questions = SessionQuery(where=Compare("open_questions", "eq", 1))
    assert [one.session.id for one in await store.reads.list_sessions(ORG, questions)] == [runs.id]
    spans = await store.reads.turn_spans(ORG, [never.id, ran.id, runs.id])
    assert spans == {
        ran.id: TurnSpan(at(5), TurnStatus.FAILED, ended_at=at(8)),
        runs.id: TurnSpan(None, TurnStatus.QUEUED, 2, questions=1),
    }
    assert await store.reads.turn_spans(ORG, []) == {}
