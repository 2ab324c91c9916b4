"""What parents and children must agree on, and what one session has left to be done to another."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from tests.chaos.log import Log
from tests.support.databases import Database

LEFT: str = "SELECT count(*) FROM outbox"
# Ended sessions that policy has still to do with, and what is still to be removed of them and of others.
RETIRING: Sequence[str] = (
    "SELECT count(*) FROM timers WHERE kind IN ('log', 'retain')",
    "SELECT count(*) FROM trims",
    # That of a fork which was never finished lies in the future.
    "SELECT count(*) FROM tombstones WHERE purged_at IS NULL AND deleted_at <= (SELECT max(at) FROM events)",
)
WORKING: str = "SELECT count(*) FROM sessions WHERE activity <> 'idle'"


def is_quiet(database: Database) -> bool:
    """Whether nothing is left to be done, which no client waits for."""
    return all(database.query(text) == [(0,)] for text in (WORKING, LEFT, *RETIRING))


def trees(database: Database) -> list[str]:
    """The sessions that have started others."""
    kin = _kin(database)
    return sorted({place["ancestors"][0] for place in kin.values() if place.get("ancestors")} & kin.keys())


def below(database: Database, top: str) -> set[str]:
    """The sessions of a tree, its top included; what is below a deleted one is reached no more."""
    kin = _kin(database)
    return {
        id
        for id, place in kin.items()
        if id == top or (top in (above := place.get("ancestors", ())) and all(one in kin for one in above))
    }


def _kin(database: Database) -> dict[str, dict[str, Any]]:
    rows = database.query("SELECT id, kin FROM sessions")
    return {str(UUID(bytes=id)): json.loads(text) if text else {} for id, text in rows}


def check_kin(database: Database, log: Log) -> Iterator[str]:
    for kind, payload in database.query("SELECT kind, payload FROM outbox"):
        yield f"an {kind} was left and not carried out: {payload}"
    yield from _asks(log)
    yield from _children(database, log)
    yield from _budgets(database)


def _asks(log: Log) -> Iterator[str]:
    for ask, decisions in log.decided.items():
        if len(decisions) > 1:
            yield f"ask {ask} was decided {len(decisions)} times: {decisions}"


def _children(database: Database, log: Log) -> Iterator[str]:
    statuses: dict[str, str] = {}
    kin: dict[str, dict[str, Any]] = {}
    for id, status, text in database.query("SELECT id, status, kin FROM sessions"):
        statuses[str(UUID(bytes=id))] = status
        kin[str(UUID(bytes=id))] = json.loads(text) if text else {}
    gone = {str(UUID(bytes=id)) for (id,) in database.query("SELECT id FROM tombstones")}
    for child, place in kin.items():
        if not place.get("ancestors"):
            continue
        if place.get("awaited"):
            yield f"session {child} still thinks that its parent waits for it"
        if log.children.get(place["ask"]) != child:
            yield f"session {child} was made for the ask {place['ask']}, which wants {log.children.get(place['ask'])}"
        parent = place["ancestors"][-1]
        if (
            statuses.get(parent, "gone") != "open"
            and statuses[child] == "open"
            and parent in statuses.keys() | gone
        ):
            yield f"session {child} is open, and its parent {parent} is {statuses.get(parent, 'gone')}"
    for ask, child in log.children.items():
        told = [answer for decision, answer in log.decided[ask] if decision == "answer"]
        for answer in told:
            was_made = child in statuses or child in gone
            if (answer["status"] != "refused") != was_made:
                yield f"ask {ask} was answered with {answer}, and its session {'is' if was_made else 'is not'} there"


def _budgets(database: Database) -> Iterator[str]:
    """A turn is one turn of a budget, and a call one call, in whichever session of the tree."""
    seen: dict[bytes, Counter[object]] = defaultdict(Counter)
    for budget, session, source, turn, seq in database.query(
        "SELECT budget, session, source, turn, seq FROM budget_entries"
    ):
        if source in ("turn", "tool_call"):
            seen[budget][session, source, turn, seq] += 1
    for budget, entries in seen.items():
        for entry, times in entries.items():
            if times > 1:
                yield f"budget {UUID(bytes=budget)} was charged {times} times for {entry}"
