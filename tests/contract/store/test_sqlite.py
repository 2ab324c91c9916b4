"""What only SQLite promises: one owner a file, and one sync for many commits."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Sequence

import pytest

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.log import StoredEvent
from sojourn.ports import Tx
from sojourn.store.sqlite_file import FileDamaged, FileOwned
from sojourn.telemetry import counters
from tests.contract.store.make import ORG, event, insert, record, session_id
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase, Told, opened

OPEN_ELSEWHERE = """
import sys
from pathlib import Path
from sojourn.store.sqlite import SqliteStore
from sojourn.store.sqlite_file import FileOwned
from tests.support.clock import HandClock
try:
    SqliteStore(Path(sys.argv[1]), HandClock(), print)
except FileOwned as error:
    print("refused:", error)
else:
    print("opened")
"""


def open_elsewhere(sqlite: SqliteDatabase) -> str:
    command = [sys.executable, "-c", OPEN_ELSEWHERE, str(sqlite.path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


async def test_a_second_process_is_refused_the_file_while_the_first_lives(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    async with opened(sqlite, clock) as store:
        assert open_elsewhere(sqlite).startswith("refused:")
        with pytest.raises(FileOwned, match="in use"):
            await sqlite.open(clock)
        await insert(store)
    assert open_elsewhere(sqlite) == "opened\n"


async def test_a_file_that_is_no_database_or_a_broken_one_is_named_and_let_go_of(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    for kept_bytes in (0, 100):
        async with opened(sqlite, clock):
            pass
        data = sqlite.path.read_bytes()
        sqlite.path.write_bytes(data[:kept_bytes] + b"x" * (len(data) - kept_bytes))
        with pytest.raises(FileDamaged, match=sqlite.path.name):
            await sqlite.open(clock)
        sqlite.path.unlink()
    assert open_elsewhere(sqlite) == "opened\n"


async def test_writes_that_come_together_share_their_commits(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    async with opened(sqlite, clock) as store:
        commits, verbs = counters.commits, counters.verbs
        await asyncio.gather(*(insert(store) for _ in range(200)))
        assert counters.verbs - verbs == 200
        assert counters.commits - commits < 40


async def test_verbs_of_one_commit_share_its_number(sqlite: SqliteDatabase, clock: HandClock) -> None:
    async def append(tx: Tx) -> int:
        session = session_id()
        number = await tx.next_tx(ORG, session)
        await tx.append_events([event(session, 1, tx=number)])
        return number

    async with opened(sqlite, clock) as store:
        numbers = await asyncio.gather(*(store.write(append) for _ in range(5)))
        assert len(set(numbers)) == 1
        assert await store.write(append) > numbers[0]


async def test_a_verb_that_waits_for_something_else_is_refused_alone(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    async def waits(tx: Tx) -> None:
        await tx.insert_session(record())
        await asyncio.Event().wait()

    async with opened(sqlite, clock) as store:
        refused, stored = await asyncio.gather(store.write(waits), insert(store), return_exceptions=True)
        assert isinstance(refused, RuntimeError)
        assert not isinstance(stored, BaseException)
    assert sqlite.query("SELECT id FROM sessions") == [(stored.id.bytes,)]


async def test_a_defect_of_whoever_is_told_leaves_nobody_without_an_answer(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    told = Told()

    def breaks(events: Sequence[StoredEvent]) -> None:
        told(events)
        raise ValueError("a follower's defect")

    async def append(tx: Tx) -> None:
        session = session_id()
        await tx.append_events([event(session, 1, tx=await tx.next_tx(ORG, session))])

    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
    async with opened(sqlite, clock, breaks) as store:
        for _ in range(2):
            await store.write(append)
    assert len(told.events) == 2
    assert [str(error) for error in reported] == ["a follower's defect"] * 2


async def test_a_commit_that_fails_fails_everyone_in_it_and_is_told_to_nobody(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    """A disk that is full, as SQLite sees one: the file may grow by no page."""
    told = Told()
    async with opened(sqlite, clock, told) as store:
        await insert(store)
        writer: sqlite3.Connection = vars(store)["_writer"]

        async def fills(tx: Tx) -> None:
            writer.execute("PRAGMA max_page_count = 1")
            session = session_id()
            await tx.append_events([event(session, seq, data="x" * 30_000) for seq in range(1, 400)])

        results = await asyncio.gather(insert(store), store.write(fills), return_exceptions=True)
        assert all(isinstance(result, StoreUnavailable) for result in results)
        writer.execute("PRAGMA max_page_count = 1000000")
        await insert(store)
    assert told.events == []
    assert len(sqlite.query("SELECT 1 FROM sessions")) == 2
