"""The six invariants of the design, checked from what a store holds. Nobody may write meanwhile.

What only a witness can tell (an answer given before its commit) is checked where there is one: `missing` takes what
was published or acknowledged and says what of it the log lacks.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sojourn.domain.agent import SPAWNING
from sojourn.domain.draft import State, deadlines
from sojourn.domain.events import SessionTrimmed
from sojourn.domain.file_events import FileWritten
from sojourn.domain.ids import DEFAULT_ORG, OrgId, SessionId
from sojourn.domain.log import StoredEvent
from sojourn.domain.session import SessionStatus, activity
from sojourn.domain.turn import HELD
from sojourn.ports import Reads
from sojourn.store import rows
from sojourn.store.db import load_sqlite
from sojourn.store.postgres import PostgresStore
from sojourn.store.reads import StoreReads
from sojourn.store.sqlite import SqliteDb
from tests.support.aside import Aside
from tests.support.clock import HandClock
from tests.support.databases import tell_nobody
from tests.support.postgres import Connection
from tests.support.replay import Replay
from tests.support.snapshot import Query, Snapshot, Tables, snapshots

OUTLIVING = ("files", "blob_uses", "purged")
UNUSED_BLOBS = """
SELECT b.sha256 FROM blobs b
WHERE NOT EXISTS (SELECT 1 FROM blob_uses u WHERE u.org = b.org AND u.sha256 = b.sha256)
"""


async def check_invariants(
    reads: Reads, query: Query, org: OrgId = DEFAULT_ORG, *, keeps_purged: bool = False
) -> list[str]:
    """What is broken, one sentence each; empty if nothing is. `query` asks the database behind the store's back.

    `keeps_purged` says that the database keeps beside the logs what retention has removed of them.
    """
    problems: list[str] = []
    tables = Tables(query, org, keeps_purged=keeps_purged)
    gone = tables.sessions()
    async for snapshot in snapshots(reads, tables, org):
        id = snapshot.record.session.id
        gone.discard(id.bytes)
        problems.extend(f"session {id}: {problem}" for problem in check_session(snapshot))
    for session in gone:
        left = tables.of(SessionId(UUID(bytes=session)))
        # Its files and blobs go with the rest of its history, when that is purged.
        kept = [name for name, found in left.items() if found and name not in OUTLIVING]
        problems.extend(f"session {UUID(bytes=session)} is gone and still has {name}" for name in kept)
    for (lost,) in query(UNUSED_BLOBS):
        problems.append(f"blob {bytes(lost).hex()} is used by nobody")
    for key, is_answered in query("SELECT idempotency_key, ids IS NOT NULL FROM idempotency"):
        if not is_answered:
            problems.append(f"idempotency key {key} was reserved and answers nothing")
    return problems


async def check_sqlite_file(path: Path, org: OrgId = DEFAULT_ORG, *, keeps_purged: bool = False) -> list[str]:
    """The same for a file that no process is writing to."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        reads = StoreReads(SqliteDb(connection, load_sqlite()))
        return await check_invariants(
            reads, lambda text: connection.execute(text).fetchall(), org, keeps_purged=keeps_purged
        )


async def check_postgres(url: str, org: OrgId = DEFAULT_ORG, *, keeps_purged: bool = False) -> list[str]:
    store = await PostgresStore.open(url, HandClock(), tell_nobody)
    aside = Aside()
    connection = Connection(aside, url)
    try:
        return await check_invariants(store.reads, connection.query, org, keeps_purged=keeps_purged)
    finally:
        connection.close()
        aside.close()
        await store.close()


def missing(events: Iterable[StoredEvent], log: Sequence[StoredEvent]) -> list[str]:
    """What was published of one session, or acknowledged, and is not in its log as it was told."""
    stored = {event.seq: event for event in log}
    return [
        f"seq {event.seq} was told as {event.type} and is not so in the log"
        for event in events
        if stored.get(event.seq) != event
    ]


def check_session(snapshot: Snapshot) -> Iterator[str]:
    replay = Replay(spawns=snapshot.record.session.runner in SPAWNING)
    yield from _order(snapshot)
    yield from replay.over(snapshot.whole_log)
    yield from _session_row(snapshot, replay)
    yield from _turn_rows(snapshot, replay)
    yield from _input_and_ask_rows(snapshot, replay)
    yield from _budgets(snapshot, replay)
    yield from _names(snapshot)
    yield from _leases(snapshot)
    yield from _timers(snapshot)


def _differ(what: str, stored: object, told: object) -> Iterator[str]:
    if stored != told:
        yield f"{what} is {stored}, and the log says {told}"


def _order(snapshot: Snapshot) -> Iterator[str]:
    """One coordinate: dense from the first event that retention kept, up to what the row says."""
    record = snapshot.record
    seqs = [stored.seq for stored, _ in snapshot.events]
    if seqs != list(range(record.first_seq, record.session.next_seq)):
        yield f"the seqs are not {record.first_seq}…{record.session.next_seq - 1} but {seqs}"
    if len({stored.id for stored, _ in snapshot.events}) != len(seqs):
        yield "two events have one id"
    if record.first_seq > 1:
        yield from _cut(snapshot, record.first_seq)


def _cut(snapshot: Snapshot, first_seq: int) -> Iterator[str]:
    """A log begins where it says itself that it was cut, and what stood before is removed."""
    said = [event for _, event in snapshot.events[:1]]
    if not said or not isinstance(said[0], SessionTrimmed) or said[0].first_seq != first_seq:
        yield f"the log begins at {first_seq}, and was not cut there"
    if snapshot.purged and [stored.seq for stored, _ in snapshot.purged] != list(range(1, first_seq)):
        yield f"of what stood before seq {first_seq} there was {[one.seq for one, _ in snapshot.purged]}"


def _session_row(snapshot: Snapshot, replay: Replay) -> Iterator[str]:
    session, usage = snapshot.record.session, snapshot.record.usage
    yield from _differ("the status", session.status.value, replay.status)
    yield from _differ("the fence", session.fence, replay.fence)
    record = snapshot.record
    yield from _differ("the lineage", (record.forked_from, record.forked_seq), replay.forked)
    yield from _differ("the revision", session.revision, replay.revision)
    yield from _differ("the open turn", session.open_turn, replay.open_turn)
    yield from _differ("the count of turns", session.turns, len(replay.turns))
    yield from _differ("the count of queued inputs", session.queued_inputs, len(replay.queued))
    yield from _differ("the count of presences", session.presences, len(replay.presences))
    yield from _differ("being archived", session.archived_at is not None, replay.archived)
    tokens = Counter(
        input=usage.input_tokens,
        output=usage.output_tokens,
        cache_read=usage.cache_read_tokens,
        cache_write=usage.cache_write_tokens,
    )
    yield from _differ("the usage", tokens, replay.tokens)
    turn = None if replay.open_turn is None else replay.turns[replay.open_turn].status
    told = activity(SessionStatus(replay.status), turn, len(replay.queued), len(replay.presences))
    yield from _differ("the activity", session.activity, told)


def _turn_rows(snapshot: Snapshot, replay: Replay) -> Iterator[str]:
    yield from _differ("the set of turns", {turn.id for turn in snapshot.turns}, set(replay.turns))
    for turn in snapshot.turns:
        told = replay.turns.get(turn.id)
        if told is None:
            continue
        stored = (turn.input, turn.status, turn.attempt, turn.agent_version, turn.parked)
        view = (told.input, told.status, told.attempt, told.agent_version, told.parked)
        yield from _differ(f"turn {turn.id}", stored, view)
        yield from _differ(f"the end of turn {turn.id}", (turn.reason, turn.error), (told.reason, told.error))
        if turn.status.is_open:
            yield from _differ(f"the worker of turn {turn.id}", turn.worker, told.worker)
            yield from _differ(f"the open asks of turn {turn.id}", turn.open_asks, len(told.open_asks))
        if told.last_words:
            yield f"seqs {told.last_words} were said for a turn that nobody held"


def _input_and_ask_rows(snapshot: Snapshot, replay: Replay) -> Iterator[str]:
    """What retention has cut off is gone with the log's beginning."""
    first_seq = snapshot.record.first_seq
    stored = {
        input.id: (input.status, input.turn, input.position, input.revision, input.content)
        for input in snapshot.inputs
    }
    told = {
        id: (input.status, input.turn, input.position, input.revision, input.content)
        for id, input in replay.inputs.items()
        if input.position >= first_seq
    }
    waiting = sorted((one for one in snapshot.inputs if one.status == "queued"), key=lambda one: one.place)
    yield from _differ("the order of the queue", [one.id for one in waiting], replay.order)
    for id in stored.keys() | told.keys():
        yield from _differ(f"input {id}", stored.get(id), told.get(id))
    asks = {id: status for id, status in replay.asks.items() if replay.asked_at[id] >= first_seq}
    yield from _differ("the asks", {ask.id: ask.status for ask in snapshot.asks}, asks)
    files = {
        path: (None if sha is None else bytes(sha).hex(), size, seq, bool(readonly))
        for path, sha, size, seq, readonly in snapshot.tables["files"]
    }
    left = {path: file for path, file in replay.files.items() if file[2] >= first_seq}
    yield from _differ("the set of files", files, left)
    used = {(seq, bytes(sha).hex()) for seq, sha in snapshot.tables["blob_uses"]}
    yield from _differ("the set of blobs in use", used, _referred(snapshot))


def _referred(snapshot: Snapshot) -> set[tuple[int, str]]:
    """The blobs that the log leads to, each with the seq that does."""
    found: set[tuple[int, str]] = set()
    for stored, event in snapshot.events:
        if reference := re.match(r'{"blob":{"sha256":"([0-9a-f]{64})"', stored.data):
            found.add((stored.seq, reference[1]))
        if isinstance(event, FileWritten) and event.sha256 is not None:
            found.add((stored.seq, event.sha256))
    return found


def _budgets(snapshot: Snapshot, replay: Replay) -> Iterator[str]:
    """A ledger adds up, and tells of each use that the log tells of once."""
    stored = {budget.id: budget.status for budget, _ in snapshot.budgets}
    yield from _differ("the set of budgets", stored, replay.budgets)
    enabled = sum(status != "disabled" for status in stored.values())
    yield from _differ("the count of budgets", snapshot.record.session.budgets, enabled)
    for budget, ledger in snapshot.budgets:
        if [entry.number for entry in ledger] != list(range(1, budget.entries + 1)):
            yield f"the entries of budget {budget.id} are not numbered up to {budget.entries}"
        used = sum((entry.amount for entry in ledger if entry.amount is not None), Decimal(0))
        if budget.balance != budget.limit - used:
            yield f"{budget.balance} is left of budget {budget.id}, of which {used} of {budget.limit} was used"
        told = [(entry.session, entry.seq) for entry in ledger if entry.seq is not None]
        if len(told) != len(set(told)):
            yield f"an event was charged twice to budget {budget.id}"


def _names(snapshot: Snapshot) -> Iterator[str]:
    """An outside name leads to the session that bears it."""
    record = snapshot.record
    tags = {tag for (tag,) in snapshot.tables["tags"]}
    if tags != set(record.tags):
        yield f"the tags that are found are {tags}, and those that are shown {record.tags}"
    names = [value for kind, value in snapshot.tables["refs"] if kind == "external_id"]
    if names != ([] if record.external_id is None else [record.external_id]):
        yield f"the names {names} lead to a session that is called {record.external_id}"


def _leases(snapshot: Snapshot) -> Iterator[str]:
    """A turn has a lease exactly while somebody holds it, under the fence of that claim."""
    session = snapshot.record.session
    turn = next((turn for turn in snapshot.turns if turn.id == session.open_turn), None)
    is_held = turn is not None and turn.status in HELD and not turn.parked
    expected = {f"{turn.worker}/{session.fence}"} if turn is not None and is_held else set[str]()
    held = {holder for kind, holder in snapshot.tables["leases"] if kind == "turn"}
    if held != expected:
        yield f"the turn's leases are {held}, and should be {expected}"
    presences = sum(kind == "presence" for kind, _ in snapshot.tables["leases"])
    if presences != session.presences:
        yield f"there are {presences} presences, and the row counts {session.presences}"


def _timers(snapshot: Snapshot) -> Iterator[str]:
    """Every deadline that the state implies is a row that somebody will find."""
    session = snapshot.record.session
    turn = next((turn for turn in snapshot.turns if turn.id == session.open_turn), None)
    due = deadlines(State(session=session, turn=turn))
    expected = {kind: rows.to_micros(at) for kind, at in due.items() if at is not None}
    timers = dict[object, object](snapshot.tables["timers"])
    if timers != expected:
        yield f"the timers are {timers}, and should be {expected}"
