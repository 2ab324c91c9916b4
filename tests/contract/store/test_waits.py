"""Asks and timers: every wait has a deadline that somebody finds."""

from dataclasses import replace

import pytest

from sojourn.domain.ids import AskId, TurnId, uuid7
from sojourn.domain.policy import Timer
from sojourn.domain.session import Session
from sojourn.ports import DueTimer, Store
from tests.contract.store.make import ORG, an_ask, at, insert, insert_org, session_id

TURN = TurnId(uuid7())


@pytest.fixture
async def session(store: Store) -> Session:
    await insert_org(store)
    return await insert(store)


async def test_an_ask_reads_back_as_it_was_written(store: Store, session: Session) -> None:
    ask = an_ask(
        TURN, kind="question", prompt={"text": "?", "of": [1, None]}, expires_at=at(9), on_expire="answer"
    )
    await store.write(lambda tx: tx.write_ask(ORG, session.id, ask))
    assert await store.reads.get_ask(ORG, session.id, ask.id) == ask
    assert await store.reads.get_ask(ORG, session.id, AskId(uuid7())) is None
    assert await store.reads.get_ask(ORG, session_id(), ask.id) is None


async def test_a_decided_ask_is_listed_and_no_longer_open(store: Store, session: Session) -> None:
    first, second = an_ask(TURN), an_ask(TURN, created_at=at(1))
    for ask in (second, first, replace(first, status="decided")):
        await store.write(lambda tx, ask=ask: tx.write_ask(ORG, session.id, ask))
    every = await store.reads.list_asks(ORG, session.id, open_only=False)
    assert every == [replace(first, status="decided"), second]
    assert await store.reads.list_asks(ORG, session.id, open_only=True) == [second]


async def test_asks_are_listed_in_pages_in_the_order_of_their_making(store: Store, session: Session) -> None:
    asks = [an_ask(TURN) for _ in range(4)]
    asks[2] = replace(asks[2], status="decided")
    for ask in reversed(asks):
        await store.write(lambda tx, ask=ask: tx.write_ask(ORG, session.id, ask))
    assert await store.reads.list_asks(ORG, session.id, False, None, 3) == asks[:3]
    assert await store.reads.list_asks(ORG, session.id, False, asks[0].id, 2) == asks[1:3]
    assert await store.reads.list_asks(ORG, session.id, True, asks[0].id, 2) == [asks[1], asks[3]]


async def test_a_turns_end_voids_its_open_asks_and_no_others(store: Store, session: Session) -> None:
    mine, decided, other = an_ask(TURN), an_ask(TURN, status="decided"), an_ask(TurnId(uuid7()))
    for ask in (mine, decided, other):
        await store.write(lambda tx, ask=ask: tx.write_ask(ORG, session.id, ask))
    await store.write(lambda tx: tx.void_asks(ORG, session.id, TURN))
    statuses = {ask.id: ask.status for ask in await store.reads.list_asks(ORG, session.id, open_only=False)}
    assert statuses == {mine.id: "void", decided.id: "decided", other.id: "open"}


async def test_due_asks_are_the_open_ones_whose_time_has_come(store: Store, session: Session) -> None:
    due, later, forever = an_ask(TURN, expires_at=at(5)), an_ask(TURN, expires_at=at(9)), an_ask(TURN)
    decided = an_ask(TURN, expires_at=at(1), status="decided")
    for ask in (later, due, forever, decided):
        await store.write(lambda tx, ask=ask: tx.write_ask(ORG, session.id, ask))
    assert await store.reads.due_asks(at(4), 10) == []
    assert await store.reads.due_asks(at(5), 10) == [(ORG, session.id, due.id)]
    assert [ask for _, _, ask in await store.reads.due_asks(at(99), 10)] == [due.id, later.id]
    assert len(await store.reads.due_asks(at(99), 1)) == 1


async def test_a_timer_is_due_when_its_time_has_come_and_no_more_when_cleared(
    store: Store, session: Session
) -> None:
    timers = (Timer("idle", at(9)), Timer("lifetime", at(5)), Timer("turn", at(7)))
    await store.write(lambda tx: tx.write_timers(ORG, session.id, timers))
    assert await store.reads.due_timers(at(4), 10) == []
    assert await store.reads.due_timers(at(7), 10) == [
        DueTimer(ORG, session.id, "lifetime"),
        DueTimer(ORG, session.id, "turn"),
    ]
    moved = (Timer("lifetime", None), Timer("turn", at(8)))
    await store.write(lambda tx: tx.write_timers(ORG, session.id, moved))
    assert await store.reads.due_timers(at(7), 10) == []
    assert len(await store.reads.due_timers(at(99), 1)) == 1
    assert len(await store.reads.due_timers(at(99), 10)) == 2
