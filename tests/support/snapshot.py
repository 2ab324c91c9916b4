"""Everything that a store keeps of a session, read as it stands. Nobody may write to the session meanwhile."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sojourn.domain.ask import Ask
from sojourn.domain.budget import Budget, BudgetEntry
from sojourn.domain.events import Event
from sojourn.domain.filter import Position, SessionQuery
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.input import Input
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import SessionRecord
from sojourn.domain.turn import Turn
from sojourn.ports import Reads
from sojourn.service.codec import MissingBlob, read_entry
from sojourn.store import rows

PAGE = 500

# Where a test keeps what retention has removed of the logs, if it does.
PURGED_TABLE = "purged_events"
PURGED_COLUMNS = "seq, id, type, v, at, turn, tx, data"

Query = Callable[[str], list[tuple[Any, ...]]]
Rows = list[tuple[Any, ...]]

# What no read verb lists; each row begins with the organisation and the session.
TABLES = {
    "leases": "kind, holder",
    "timers": "kind, due_at",
    "tags": "tag",
    "files": "path, sha256, size, seq, readonly",
    "refs": "kind, value",
    "blob_uses": "seq, sha256",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`events` pairs each stored event with its data, `budgets` each budget with its ledger.

    `tables` holds the rows of `TABLES` without their keys. `purged` is what stood before the first of the events, where
    a test has kept it.
    """

    record: SessionRecord
    events: Sequence[tuple[StoredEvent, Event | None]]
    turns: Sequence[Turn]
    inputs: Sequence[Input]
    asks: Sequence[Ask]
    budgets: Sequence[tuple[Budget, Sequence[BudgetEntry]]]
    tables: dict[str, Rows]
    purged: Sequence[tuple[StoredEvent, Event | None]] = ()

    @property
    def whole_log(self) -> Sequence[tuple[StoredEvent, Event | None]]:
        return [*self.purged, *self.events]


class Tables:
    """The rows of `TABLES` of one organisation, by table and session."""

    def __init__(self, query: Query, org: OrgId, *, keeps_purged: bool = False) -> None:
        self._org = org
        self._rows: dict[bytes, dict[str, Rows]] = defaultdict(lambda: {name: [] for name in TABLES})
        for name, columns in TABLES.items():
            for of, session, *row in query(f"SELECT org, session, {columns} FROM {name}"):
                if of == org.bytes:
                    self._rows[session][name].append(tuple(row))
        if keeps_purged:
            for session, *row in query(f"SELECT session, {PURGED_COLUMNS} FROM {PURGED_TABLE} ORDER BY seq"):
                self._rows[session].setdefault("purged", []).append(tuple(row))

    def of(self, session: SessionId) -> dict[str, Rows]:
        return self._rows[session.bytes]

    def sessions(self) -> set[bytes]:
        return set(self._rows)

    def purged(self, record: SessionRecord) -> Sequence[StoredEvent]:
        """What stood in the log before its first event."""
        found = self.of(record.session.id).get("purged", [])
        log = rows.events_of(self._org, record.session.id, found)
        return [event for event in log if event.seq < record.first_seq]


async def snapshots(reads: Reads, tables: Tables, org: OrgId) -> AsyncIterator[Snapshot]:
    """Every session of an organisation, oldest first."""
    query = SessionQuery(order="asc", limit=PAGE)
    while records := await reads.list_sessions(org, query):
        for record in records:
            yield await take(reads, tables, record)
        last = records[-1].session
        query = replace(query, after=Position(last.created_at, last.id))


async def take(reads: Reads, tables: Tables, record: SessionRecord) -> Snapshot:
    org, session = record.session.org, record.session.id
    return Snapshot(
        record=record,
        events=await read_log(reads, org, session),
        turns=await reads.list_turns(org, session, None, 10_000),
        inputs=await reads.list_inputs(org, session, None, 0, 100_000),
        asks=await reads.list_asks(org, session, open_only=False),
        budgets=[
            (budget, await reads.list_budget_entries(org, budget.id, 0, 100_000))
            for budget in await reads.list_budgets(org, session, None, 1_000)
        ],
        tables=tables.of(session),
        purged=[(event, await _read(reads, event)) for event in tables.purged(record)],
    )


async def read_log(
    reads: Reads, org: OrgId, session: SessionId
) -> Sequence[tuple[StoredEvent, Event | None]]:
    """The whole log, each event with its data, None where that cannot be read."""
    found: list[tuple[StoredEvent, Event | None]] = []
    after = 0
    while events := await reads.events_after(org, session, after, PAGE):
        found.extend([(event, await _read(reads, event)) for event in events])
        after = events[-1].seq
    return found


async def _read(reads: Reads, stored: StoredEvent) -> Event | None:
    try:
        return (await read_entry(reads, stored)).event
    except (MissingBlob, msgspec.ValidationError):
        return None
