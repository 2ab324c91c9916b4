import asyncio
import hashlib
from dataclasses import replace

import pytest

from sojourn.domain.events import MessageCompleted
from sojourn.domain.ids import EventId, MessageId, OrgId, TurnId, uuid7
from sojourn.domain.log import StoredEvent
from sojourn.ports import Store, Tx
from sojourn.service.codec import INLINE_BYTES, MissingBlob, encode, get_large, put_large, read_entry
from tests.contract.store.make import NO_USAGE, ORG, at, event, insert, session_id
from tests.support.clock import HandClock
from tests.support.databases import Database, opened


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


async def test_events_read_back_as_they_were_appended_and_in_order(store: Store) -> None:
    session = session_id()
    events = [
        StoredEvent(
            ORG, session, seq, EventId(uuid7()), "turn.resumed", 3, at(0.123456), TurnId(uuid7()), 9, text
        )
        for seq, text in enumerate(('{"a":"\\u0000 é 🜁"}', "{}", '{"b":[1,2]}'), 1)
    ]
    await store.write(lambda tx: tx.append_events([events[2], *events[:2]]))
    assert await store.reads.events_after(ORG, session, 0, 10) == events
    assert await store.reads.events_after(ORG, session, 1, 1) == [events[1]]
    assert await store.reads.events_after(ORG, session, 3, 10) == []
    assert await store.reads.events_after(OrgId(uuid7()), session, 0, 10) == []


async def test_events_are_picked_by_type(store: Store) -> None:
    session = session_id()
    types = ("session.created", "input.received", "turn.queued", "input.received")
    events = [event(session, seq, type=type) for seq, type in enumerate(types, 1)]
    await store.write(lambda tx: tx.append_events(events))

    async def seqs(after: int, limit: int, *types: str) -> list[int]:
        return [one.seq for one in await store.reads.events_after(ORG, session, after, limit, types)]

    assert await seqs(0, 10, "input.received") == [2, 4]
    assert await seqs(2, 10, "input.received", "turn.queued") == [3, 4]
    assert await seqs(0, 1, "input.received") == [2]
    assert await seqs(0, 10, "no.such") == []


async def test_a_seq_is_taken_once(store: Store) -> None:
    session = session_id()
    await store.write(lambda tx: tx.append_events([event(session, 1)]))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda tx: tx.append_events([event(session, 1)]))
    assert len(await store.reads.events_after(ORG, session, 0, 10)) == 1


async def test_data_over_the_limit_becomes_a_reference_and_reads_back_whole(store: Store) -> None:
    session = session_id()
    text = "é" * INLINE_BYTES
    said = MessageCompleted(message=MessageId(uuid7()), call=1, text=text)

    async def verb(tx: Tx) -> StoredEvent:
        data = await put_large(tx, ORG, encode(said))
        stored = replace(event(session, 1, data=data), type=said.type)
        await tx.append_events([stored])
        return stored

    stored = await store.write(verb)
    assert len(stored.data) < 200
    (read,) = await store.reads.events_after(ORG, session, 0, 10)
    assert (await read_entry(store.reads, read)).event == said
    assert (await get_large(store.reads, read)).encode() == encode(said)
    with pytest.raises(MissingBlob):
        await get_large(store.reads, replace(read, org=OrgId(uuid7())))


async def test_data_up_to_the_limit_stays_in_the_event(store: Store) -> None:
    data = b'"' + b"x" * (INLINE_BYTES - 2) + b'"'
    assert await store.write(lambda tx: put_large(tx, ORG, data)) == data.decode()
    assert await store.reads.get_blob(ORG, sha(data)) is None


async def test_a_blob_is_put_once_and_read_by_its_organisation_only(store: Store) -> None:
    data = bytes(range(256)) * 400
    for _ in range(2):
        await store.write(lambda tx: tx.put_blob(ORG, sha(data), data))
    assert await store.reads.get_blob(ORG, sha(data)) == data
    assert await store.reads.get_blob(OrgId(uuid7()), sha(data)) is None


async def append_one(tx: Tx) -> int:
    session = session_id()
    number = await tx.next_tx(ORG, session)
    assert await tx.next_tx(ORG, session) == number
    await tx.append_events([event(session, 1, tx=number)])
    return number


async def test_transaction_numbers_only_rise(store: Store) -> None:
    numbers = [await store.write(append_one) for _ in range(5)]
    assert numbers == sorted(set(numbers))


async def test_transaction_numbers_rise_beyond_a_restart(database: Database) -> None:
    numbers: list[int] = []
    for _ in range(3):
        async with opened(database, HandClock()) as store:
            numbers.extend([await store.write(append_one) for _ in range(2)])
    assert numbers == sorted(set(numbers))


async def test_within_a_session_numbers_never_fall(store: Store) -> None:
    """A feed over all sessions is read in the order of the numbers."""
    session = (await insert(store)).id

    async def append(tx: Tx) -> None:
        state = await tx.lock_session(ORG, session)
        assert state is not None
        seq = state.session.next_seq
        await tx.write_session(replace(state.session, next_seq=seq + 1), 0, NO_USAGE)
        await tx.append_events([event(session, seq, tx=await tx.next_tx(ORG, session))])

    await asyncio.gather(*(store.write(append) for _ in range(30)))
    events = await store.reads.events_after(ORG, session, 0, 100)
    assert [one.seq for one in events] == list(range(2, 32))
    assert [one.tx for one in events] == sorted(one.tx for one in events)


async def test_what_stands_before_a_cut_is_read_by_nobody_and_purged_in_pieces(store: Store) -> None:
    session = await insert(store)
    await store.write(lambda tx: tx.append_events([event(session.id, seq) for seq in range(1, 8)]))
    await store.write(lambda tx: tx.cut_log(ORG, session.id, 6))
    for types in ((), ("session.created", "session.updated", "turn.resumed")):
        read = await store.reads.events_after(ORG, session.id, 0, 100, types)
        assert {found.seq for found in read} <= {6, 7}
    assert [found.seq for found in await store.reads.events_after(ORG, session.id, 0, 100)] == [6, 7]
    assert await store.write(lambda tx: tx.purge_cut_logs(3)) == 3
    while await store.write(lambda tx: tx.purge_cut_logs(3)):
        pass
    assert [found.seq for found in await store.reads.events_after(ORG, session.id, 6, 100)] == [7]
    record = await store.reads.get_session(ORG, session.id)
    assert record is not None
    assert record.first_seq == 6
