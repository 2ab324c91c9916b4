"""The writing verbs of one transaction, over either driver."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sojourn.domain.agent import Agent
from sojourn.domain.ask import Ask
from sojourn.domain.content import Usage
from sojourn.domain.draft import InputMark, State
from sojourn.domain.errors import LeaseLost
from sojourn.domain.ids import AgentId, InputId, KeyId, OrgId, SessionId, TurnId
from sojourn.domain.input import Input
from sojourn.domain.log import StoredEvent
from sojourn.domain.org import Org
from sojourn.domain.policy import Timer
from sojourn.domain.queue import Shift
from sojourn.domain.record import Key, Lease, LeaseKind, Recalled, SessionRecord, Tombstone, session_secret
from sojourn.domain.session import Session
from sojourn.domain.turn import Turn
from sojourn.domain.worker import NO_LIMITS
from sojourn.store import asks, leases, rows
from sojourn.store.budgets import BudgetWrites
from sojourn.store.db import Db
from sojourn.store.errands import ErrandWrites
from sojourn.store.files import FileWrites
from sojourn.store.forks import ForkWrites
from sojourn.store.memories import MemoryWrites
from sojourn.store.models import ModelWrites
from sojourn.store.reads import StoreReads
from sojourn.store.retention import RetentionWrites
from sojourn.store.webhooks import WebhookWrites

# Rows of history. Their removal keeps every other writer of an SQLite file waiting.
PURGED_AT_ONCE: Final = 1_000
# Blobs may have megabytes each.
BLOBS_PURGED_AT_ONCE: Final = 20
# What goes with the events of a deleted session. A ledger is found by its budget, so it goes first.
_HISTORY: Final = (
    "delete_inputs",
    "delete_turns",
    "delete_asks",
    "delete_facets",
    "delete_files",
    "delete_budget_entries",
    "delete_budgets",
)


class StoreTx(
    StoreReads,
    BudgetWrites,
    ErrandWrites,
    FileWrites,
    ForkWrites,
    MemoryWrites,
    ModelWrites,
    WebhookWrites,
    RetentionWrites,
):
    """What differs between the databases is left to the two subclasses.

    These are `lock_session`, `lock_org`, `lock_agent`, `lock_alias`, `lock_memories`, `next_tx` and `reserve_key`.
    """

    def __init__(self, db: Db) -> None:
        super().__init__(db)
        self.appended: list[StoredEvent] = []

    async def _state(self, org: OrgId, session: Session, turn: Turn | None) -> State:
        head = None
        if session.queued_inputs:
            queued = await self.queued_inputs(org, session.id, steers_only=False, limit=1)
            head = queued[0] if queued else None
        budgets = await self.lock_budgets(org, session) if session.budgets or session.kin.budgeted else ()
        return State(session=session, turn=turn, head=head, budgets=tuple(budgets))

    async def insert_session(self, record: SessionRecord) -> bool:
        if not await self._db.run("insert_session", rows.new_session_params(record)):
            return False
        await self._insert_tags(record.session.org, record.session.id, record.tags)
        return True

    async def insert_ref(self, org: OrgId, kind: str, value: str, session: SessionId) -> bool:
        params = {"org": org, "kind": kind, "value": value, "session": session}
        return bool(await self._db.run("insert_ref", params))

    async def delete_ref(self, org: OrgId, kind: str, value: str) -> None:
        await self._db.run("delete_ref", {"org": org, "kind": kind, "value": value})

    async def move_ref(self, org: OrgId, kind: str, value: str, old: SessionId, new: SessionId) -> bool:
        params = {"org": org, "kind": kind, "value": value, "old": old, "new": new}
        return bool(await self._db.run("move_ref", params))

    async def write_session(self, session: Session, fence: int, usage: Usage) -> None:
        params = rows.session_params(session) | rows.usage_params(usage)
        params["guard"] = fence
        if not await self._db.run("write_session", params):
            raise LeaseLost(session.id)

    async def describe_session(self, record: SessionRecord, tags_before: Sequence[str]) -> None:
        org, session = record.session.org, record.session.id
        params = {
            "org": org,
            "id": session,
            "title": record.title,
            "metadata": rows.to_json_or_none(record.metadata),
            "tags": rows.to_json_or_none(record.tags),
            "overlay": None if record.overlay is None else rows.to_json(record.overlay),
        }
        await self._db.run("describe_session", params)
        await self._delete_tags(org, session, tags_before)
        await self._insert_tags(org, session, record.tags)

    async def _insert_tags(self, org: OrgId, session: SessionId, tags: Sequence[str]) -> None:
        if tags:
            await self._db.many("insert_tag", [{"org": org, "tag": tag, "session": session} for tag in tags])

    async def _delete_tags(self, org: OrgId, session: SessionId, tags: Sequence[str]) -> None:
        if tags:
            await self._db.many("delete_tag", [{"org": org, "tag": tag, "session": session} for tag in tags])

    async def write_alias(self, org: OrgId, session: SessionId, alias: str | None) -> None:
        await self._db.run("write_alias", {"org": org, "id": session, "alias": alias})

    async def write_facet(self, org: OrgId, session: SessionId, dialect: str, data: str) -> None:
        params = {"org": org, "session": session, "dialect": dialect, "data": data}
        await self._db.run("write_facet", params)

    async def append_events(self, events: Sequence[StoredEvent]) -> None:
        await self._db.many("insert_event", [rows.event_params(event) for event in events])
        self.appended.extend(events)

    async def write_turn(self, org: OrgId, session: SessionId, turn: Turn) -> None:
        await self._db.run("write_turn", {"org": org, "session": session, **rows.turn_params(turn)})

    async def delete_turn(self, org: OrgId, session: SessionId, turn: TurnId) -> None:
        await self._db.run("delete_turn", {"org": org, "session": session, "id": turn})

    async def write_input(self, org: OrgId, session: SessionId, input: Input) -> None:
        await self._db.run("write_input", {"org": org, "session": session, **rows.input_params(input)})

    async def shift_inputs(self, org: OrgId, session: SessionId, shift: Shift) -> None:
        params = {"org": org, "session": session, "low": shift.low, "high": shift.high, "by": shift.by}
        await self._db.run("shift_inputs", params)

    async def last_queued(self, org: OrgId, session: SessionId, other_than: InputId) -> Input | None:
        row = await self._db.one("last_queued", {"org": org, "session": session, "id": other_than})
        return None if row is None else rows.input_of(row)

    async def mark_inputs(self, org: OrgId, session: SessionId, marks: Sequence[InputMark]) -> None:
        for mark in marks:
            params: dict[str, object] = {"org": org, "session": session, "id": mark.input}
            if mark.status == "delivered":
                await self._db.run("mark_delivered", params | {"turn": mark.turn})
            else:
                await self._db.run("mark_withdrawn", params)

    async def queued_inputs(
        self, org: OrgId, session: SessionId, steers_only: bool, limit: int
    ) -> Sequence[Input]:
        name = "queued_steers" if steers_only else "queued_inputs"
        found = await self._db.all(name, {"org": org, "session": session, "limit": limit})
        return [rows.input_of(row) for row in found]

    async def write_ask(self, org: OrgId, session: SessionId, ask: Ask) -> None:
        await self._db.run("write_ask", {"org": org, "session": session, **asks.ask_params(ask)})

    async def void_asks(self, org: OrgId, session: SessionId, turn: TurnId) -> None:
        await self._db.run("void_asks", {"org": org, "session": session, "turn": turn})

    async def write_timers(self, org: OrgId, session: SessionId, timers: Sequence[Timer]) -> None:
        for timer in timers:
            params: dict[str, object] = {"org": org, "session": session, "kind": timer.kind}
            if timer.due_at is None:
                await self._db.run("clear_timer", params)
            else:
                await self._db.run("write_timer", params | {"due_at": rows.to_micros(timer.due_at)})

    async def insert_lease(self, lease: Lease) -> None:
        await self._db.run("insert_lease", leases.lease_params(lease))

    async def acquire_lease(self, lease: Lease) -> bool:
        if await self._db.run("acquire_lease", leases.lease_params(lease)):
            return True
        await self.renew_lease(lease.org, lease.session, lease.kind, lease.holder, lease.last_seen_at)
        return False

    async def renew_lease(
        self, org: OrgId, session: SessionId, kind: LeaseKind, holder: str, now: datetime
    ) -> bool:
        params = {"org": org, "session": session, "kind": kind, "holder": holder, "now": rows.to_micros(now)}
        return bool(await self._db.run("renew_lease", params))

    async def renew_presence(
        self, org: OrgId, session: SessionId, holder: str, ttl_seconds: float | None, now: datetime
    ) -> bool:
        params = {
            "org": org,
            "session": session,
            "holder": holder,
            "ttl_seconds": ttl_seconds,
            "now": rows.to_micros(now),
        }
        return bool(await self._db.run("renew_presence", params))

    async def renew_presence_of(
        self, org: OrgId, kind: str, value: str, holder: str, now: datetime
    ) -> SessionId | None:
        params = {"org": org, "kind": kind, "value": value, "holder": holder, "now": rows.to_micros(now)}
        row = await self._db.one("renew_presence_of", params)
        return None if row is None else SessionId(UUID(bytes=row[0]))

    async def release_quiet_presence(
        self, org: OrgId, session: SessionId, holder: str, now: datetime, quiet_seconds: float
    ) -> bool:
        params = {
            "org": org,
            "session": session,
            "holder": holder,
            "now": rows.to_micros(now),
            "quiet": round(quiet_seconds * 1_000_000),
        }
        return bool(await self._db.run("release_quiet_presence", params))

    async def release_lease(self, org: OrgId, session: SessionId, kind: LeaseKind, holder: str | None) -> int:
        params: dict[str, object] = {"org": org, "session": session, "kind": kind}
        if holder is None:
            return await self._db.run("release_leases", params)
        return await self._db.run("release_lease", params | {"holder": holder})

    async def boot_leases(self, boot: str) -> Sequence[Lease]:
        return [leases.lease_of(row) for row in await self._db.all("boot_leases", {"boot": boot})]

    async def refresh_leases(self, now: datetime) -> None:
        await self._db.run("refresh_leases", {"now": rows.to_micros(now)})

    async def insert_agent(self, org: OrgId, agent: Agent) -> bool:
        params = {
            "org": org,
            "id": agent.id,
            "name": agent.spec.name,
            "version": agent.version,
            "created_at": rows.to_micros(agent.created_at),
        }
        if not await self._db.run("insert_agent", params):
            return False
        await self._insert_version(org, agent)
        return True

    async def insert_agent_version(self, org: OrgId, agent: Agent) -> None:
        params = {"org": org, "id": agent.id, "name": agent.spec.name, "version": agent.version}
        await self._db.run("write_agent", params)
        await self._insert_version(org, agent)

    async def archive_agent(self, org: OrgId, agent: AgentId, archived_at: datetime | None) -> None:
        params = {"org": org, "id": agent, "archived_at": rows.to_micros_or_none(archived_at)}
        await self._db.run("archive_agent", params)

    async def _insert_version(self, org: OrgId, agent: Agent) -> None:
        params = {
            "org": org,
            "agent": agent.id,
            "version": agent.version,
            "spec": rows.to_json(agent.spec),
            "pool": agent.spec.pool,
            "created_at": rows.to_micros(agent.updated_at),
        }
        await self._db.run("insert_agent_version", params)

    async def insert_org(self, org: OrgId, name: str, now: datetime) -> None:
        await self._db.run("insert_org", {"id": org, "name": name, "created_at": rows.to_micros(now)})

    async def write_org(self, org: Org) -> None:
        await self._db.run("write_org", rows.org_params(org))

    async def write_key(self, key: Key) -> None:
        params = {
            "org": key.org,
            "id": key.id,
            "name": key.name,
            "role": key.role,
            "limits": None if key.limits == NO_LIMITS else rows.to_json(key.limits),
            "token_hash": key.token_hash,
            "created_at": rows.to_micros(key.created_at),
            "revoked_at": rows.to_micros_or_none(key.revoked_at),
        }
        await self._db.run("write_key", params)

    async def write_secret(self, org: OrgId, name: str, sealed: bytes, now: datetime) -> None:
        params = {"org": org, "name": name, "sealed": sealed, "updated_at": rows.to_micros(now)}
        await self._db.run("write_secret", params)

    async def delete_secret(self, org: OrgId, name: str) -> bool:
        return await self._db.run("delete_secret", {"org": org, "name": name}) > 0

    async def delete_session(self, record: SessionRecord, tombstone: Tombstone) -> None:
        org = record.session.org
        by_session: dict[str, object] = {"org": org, "session": tombstone.id}
        await self._db.run("delete_session_row", {"org": org, "id": tombstone.id})
        # Names are found from the session and never the other way round: an index for this one case would be
        # written by every create.
        await self._delete_tags(org, tombstone.id, record.tags)
        if record.external_id is not None:
            await self.delete_ref(org, "external_id", record.external_id)
        # Of all that comes behind `session/…/` nothing comes behind `session/…0`, its next character.
        prefix = session_secret(tombstone.id, "")
        between = {"org": org, "low": prefix, "high": prefix[:-1] + "0"}
        await self._db.run("delete_secrets_between", between)
        for name in ("delete_timers", "delete_leases", "delete_turns"):
            await self._db.run(name, by_session)
        params = {
            "org": org,
            "id": tombstone.id,
            "last_seq": tombstone.last_seq,
            "deleted_at": rows.to_micros(tombstone.deleted_at),
            "deleted_by": tombstone.by,
        }
        await self._db.run("insert_tombstone", params)

    async def purge_deleted(self, now: datetime, limit: int) -> int:
        purged = 0
        due = {"now": rows.to_micros(now), "limit": limit}
        for org, session in await self._db.all("unpurged_tombstones", due):
            params: dict[str, object] = {"org": org, "session": session}
            purged += await self._db.run("delete_events", params | {"limit": PURGED_AT_ONCE - purged})
            if purged >= PURGED_AT_ONCE:
                # The rest waits for the next purge, and others for less than the whole of a long history would take.
                break
            released = await self._release_blobs(org, session, BLOBS_PURGED_AT_ONCE)
            purged += released
            if released == BLOBS_PURGED_AT_ONCE:
                break
            for name in _HISTORY:
                purged += await self._db.run(name, params)
            await self._db.run("mark_purged", {"org": org, "id": session, "now": rows.to_micros(now)})
            if purged >= PURGED_AT_ONCE:
                break
        return purged

    async def remember(
        self,
        org: OrgId,
        key: KeyId,
        operation: str,
        idempotency_key: str,
        recalled: Recalled,
        now: datetime,
    ) -> None:
        params = {
            "org": org,
            "key": key,
            "operation": operation,
            "idempotency_key": idempotency_key,
            "request_hash": recalled.request_hash,
            "status": recalled.status,
            "ids": rows.to_json(recalled.ids),
            "created_at": rows.to_micros(now),
        }
        await self._db.run("remember", params)

    async def forget_before(self, cutoff: datetime, limit: int) -> int:
        forgotten = 0
        for org in await self._orgs():
            params = {"org": org, "cutoff": rows.to_micros(cutoff), "limit": limit - forgotten}
            forgotten += await self._db.run("forget_before", params)
            if forgotten >= limit:
                break
        return forgotten
