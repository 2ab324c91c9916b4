"""The reading verbs, over either driver."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, cast
from uuid import UUID

from sojourn.domain.agent import Agent, AgentQuery
from sojourn.domain.ask import Ask
from sojourn.domain.filter import Expression, Filter, Position, SessionQuery
from sojourn.domain.ids import AgentId, AskId, InputId, KeyId, OrgId, SessionId, TurnId
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.log import StoredEvent
from sojourn.domain.org import Org
from sojourn.domain.overlay import Overlay
from sojourn.domain.pools import DEFAULT_POOL
from sojourn.domain.record import DrivenSession, Key, Lease, Recalled, SessionRecord, Tombstone
from sojourn.domain.turn import Turn, TurnSpan, TurnStatus
from sojourn.ports import DueTimer
from sojourn.ports.turns import Ready
from sojourn.store import asks, keys, leases, rows
from sojourn.store.budgets import BudgetReads
from sojourn.store.db import Db
from sojourn.store.errands import ErrandReads
from sojourn.store.files import FileReads
from sojourn.store.glimpses import GlimpseReads
from sojourn.store.inputs import InputReads
from sojourn.store.memories import MemoryReads
from sojourn.store.models import ModelReads
from sojourn.store.webhooks import WebhookReads
from sojourn.store.where import NumberedBinder, condition, expression, like, order

_BEFORE_ALL: Final = UUID(int=0)
_NEWEST: Final = (
    "(SELECT l.{} FROM turns l WHERE l.org = t.org AND l.session = t.session"
    " ORDER BY l.first_seq DESC LIMIT 1)"
)
NO_PARAMS: Final[rows.Params] = {}

_LIST: Final = """
SELECT
    s.org, s.id, s.agent, s.agent_version, s.runner, s.status, s.activity, s.fence, s.next_seq, s.revision, s.open_turn,
    s.turns, s.queued_inputs, s.presences, s.policy, s.created_at, s.opened_at, s.active_at, s.updated_at,
    s.ended_at, s.end_reason, s.archived_at, s.stated_status, s.budgets, s.ended_activity, s.overlay IS NOT NULL, s.kin,
    s.first_seq, s.origin, s.title, s.metadata, s.tags, s.external_id, s.input_tokens, s.output_tokens,
    s.cache_read_tokens, s.cache_write_tokens, s.cost_picodollars, s.alias, s.forked_from, s.forked_seq, s.overlay"""


class StoreReads(
    BudgetReads, ErrandReads, FileReads, GlimpseReads, InputReads, MemoryReads, ModelReads, WebhookReads
):
    def __init__(self, db: Db) -> None:
        self._db = db

    async def get_session(
        self, org: OrgId, session: SessionId, facet: str | None = None
    ) -> SessionRecord | None:
        if facet is None:
            row = await self._db.one("get_session", {"org": org, "id": session})
        else:
            params = {"org": org, "id": session, "dialect": facet}
            row = await self._db.one("get_session_and_facet", params)
        return None if row is None else rows.session_record_of(row)

    async def list_sessions(self, org: OrgId, query: SessionQuery) -> Sequence[SessionRecord]:
        text, values = compile_list(org, query, self._db)
        return [rows.session_record_of(row) for row in await self._db.select(text, values)]

    async def count_sessions(self, org: OrgId, where: Filter) -> int:
        text, values = compile_count(org, where, self._db)
        return int((await self._db.select(text, values))[0][0])

    async def count_sessions_by(self, org: OrgId, where: Filter, by: Expression) -> Mapping[str, int]:
        bind = NumberedBinder(self._db.dialect)
        value = expression(by, bind, self._db.dialect)
        selected = condition(where, bind, self._db.dialect)
        text = (
            f"SELECT v, count(*) FROM (SELECT {value} AS v FROM sessions s WHERE s.org = {bind(org)} AND {selected}) w"
            " WHERE v IS NOT NULL GROUP BY v"
        )
        return {_plain(value): count for value, count in await self._db.select(text, bind.values)}

    async def find_session(self, org: OrgId, kind: str, value: str) -> SessionId | None:
        row = await self._db.one("find_session", {"org": org, "kind": kind, "value": value})
        return None if row is None else SessionId(UUID(bytes=row[0]))

    async def find_by_alias(self, org: OrgId, alias: str) -> SessionId | None:
        row = await self._db.one("find_by_alias", {"org": org, "alias": alias})
        return None if row is None else SessionId(UUID(bytes=row[0]))

    async def get_facet(self, org: OrgId, session: SessionId, dialect: str) -> str | None:
        row = await self._db.one("get_facet", {"org": org, "session": session, "dialect": dialect})
        return None if row is None else cast(str, row[0])

    async def get_overlay(self, org: OrgId, session: SessionId) -> Overlay | None:
        row = await self._db.one("get_overlay", {"org": org, "id": session})
        return None if row is None else rows.overlay_of(row[0])

    async def get_tombstone(self, org: OrgId, session: SessionId) -> Tombstone | None:
        row = await self._db.one("get_tombstone", {"org": org, "id": session})
        return None if row is None else rows.tombstone_of(row)

    async def recall(self, org: OrgId, key: KeyId, operation: str, idempotency_key: str) -> Recalled | None:
        params = {"org": org, "key": key, "operation": operation, "idempotency_key": idempotency_key}
        row = await self._db.one("recall", params)
        return None if row is None else rows.recalled_of(row)

    async def get_agent(self, org: OrgId, agent: AgentId, version: int | None = None) -> Agent | None:
        if version is None:
            row = await self._db.one("get_agent", {"org": org, "id": agent})
        else:
            row = await self._db.one("get_agent_version", {"org": org, "id": agent, "version": version})
        return None if row is None else rows.agent_of(row)

    async def find_agent(self, org: OrgId, name: str) -> Agent | None:
        row = await self._db.one("find_agent", {"org": org, "name": name})
        return None if row is None else rows.agent_of(row)

    async def list_agents(self, org: OrgId, query: AgentQuery) -> Sequence[Agent]:
        text, values = compile_agents(org, query, self._db)
        return [rows.agent_of(row) for row in await self._db.select(text, values)]

    async def count_agents(self, org: OrgId, query: AgentQuery) -> int:
        """How many there are in all, wherever the query's page is."""
        bind = NumberedBinder(self._db.dialect)
        text = f"SELECT count(*){_agents(org, query, bind)}"
        return int((await self._db.select(text, bind.values))[0][0])

    async def get_turn(self, org: OrgId, session: SessionId, turn: TurnId) -> Turn | None:
        row = await self._db.one("get_turn", {"org": org, "session": session, "id": turn})
        return None if row is None else rows.turn_of(row)

    async def list_turns(
        self, org: OrgId, session: SessionId, after: TurnId | None, limit: int
    ) -> Sequence[Turn]:
        first_seq = 0
        if after is not None:
            last = await self.get_turn(org, session, after)
            first_seq = 0 if last is None else last.first_seq
        params = {"org": org, "session": session, "after": first_seq, "limit": limit}
        return [rows.turn_of(row) for row in await self._db.all("list_turns", params)]

    async def turn_spans(self, org: OrgId, sessions: Sequence[SessionId]) -> Mapping[SessionId, TurnSpan]:
        if not sessions:
            return {}
        bind = NumberedBinder(self._db.dialect)
        text = (
            "SELECT t.session, min(t.started_at),"
            f" {_NEWEST.format('status')}, {_NEWEST.format('open_asks')}, {_NEWEST.format('ended_at')},"
            " (SELECT count(*) FROM asks a WHERE a.org = t.org AND a.session = t.session"
            " AND a.status = 'open' AND a.kind <> 'session')"
            f" FROM turns t WHERE t.org = {bind(org)} AND t.session IN"
            f" ({', '.join(bind(session) for session in sessions)}) GROUP BY t.org, t.session"
        )
        return {
            SessionId(UUID(bytes=session)): TurnSpan(
                rows.to_instant_or_none(started),
                TurnStatus(status),
                open_asks,
                rows.to_instant_or_none(ended),
                questions,
            )
            for session, started, status, open_asks, ended, questions in await self._db.select(
                text, bind.values
            )
        }

    async def get_ask(self, org: OrgId, session: SessionId, ask: AskId) -> Ask | None:
        row = await self._db.one("get_ask", {"org": org, "session": session, "id": ask})
        return None if row is None else asks.ask_of(row)

    async def list_asks(
        self, org: OrgId, session: SessionId, open_only: bool, after: AskId | None = None, limit: int = 10_000
    ) -> Sequence[Ask]:
        params = {"org": org, "session": session, "after": after or _BEFORE_ALL, "limit": limit}
        found = await self._db.all("open_asks" if open_only else "list_asks", params)
        return [asks.ask_of(row) for row in found]

    async def events_after(
        self,
        org: OrgId,
        session: SessionId,
        after: int,
        limit: int,
        types: Sequence[str] = (),
        upto: int | None = None,
    ) -> Sequence[StoredEvent]:
        if not types and upto is None:
            params = {"org": org, "session": session, "after": after, "limit": limit}
            return rows.events_of(org, session, await self._db.all("events_after", params))
        bind = NumberedBinder(self._db.dialect)
        text = (
            "SELECT seq, id, type, v, at, turn, tx, data FROM events"
            f" WHERE org = {bind(org)} AND session = {bind(session)} AND seq > {bind(after)} AND seq >= coalesce("
            f"(SELECT s.first_seq FROM sessions s WHERE s.org = {bind(org)} AND s.id = {bind(session)}), 1)"
        )
        if upto is not None:
            text += f" AND seq <= {bind(upto)}"
        if types:
            text += f" AND type IN ({', '.join(bind(type) for type in types)})"
        text += f" ORDER BY seq LIMIT {bind(limit)}"
        return rows.events_of(org, session, await self._db.select(text, bind.values))

    async def head_seqs(self, org: OrgId, sessions: Sequence[SessionId]) -> Mapping[SessionId, int]:
        if not sessions:
            return {}
        bind = NumberedBinder(self._db.dialect)
        text = (
            f"SELECT id, next_seq - 1 FROM sessions WHERE org = {bind(org)}"
            f" AND id IN ({', '.join(bind(session) for session in sessions)})"
        )
        found = await self._db.select(text, bind.values)
        return {SessionId(UUID(bytes=id)): head for id, head in found}

    async def get_org(self, org: OrgId) -> Org | None:
        row = await self._db.one("get_org", {"id": org})
        return None if row is None else rows.org_of(row)

    async def has_keys(self, org: OrgId) -> bool:
        return await self._db.one("any_key", {"org": org}) is not None

    async def find_key(self, token_hash: bytes) -> Key | None:
        row = await self._db.one("find_key", {"token_hash": token_hash})
        return None if row is None else keys.key_of(row)

    async def get_secret(self, org: OrgId, name: str) -> bytes | None:
        row = await self._db.one("get_secret", {"org": org, "name": name})
        return None if row is None else bytes(row[0])

    async def list_presences(self, org: OrgId, session: SessionId) -> Sequence[Lease]:
        found = await self._db.all("list_presences", {"org": org, "session": session})
        return [leases.lease_of(row) for row in found]

    async def driven_sessions(
        self, org: OrgId, among: Sequence[SessionId] | None = None
    ) -> Sequence[DrivenSession]:
        text, values = leases.compile_driven(org, among, self._db.dialect)
        return [leases.driven_of(row) for row in await self._db.select(text, values)]

    async def ready_turns(self, runner: RunnerKind, now: datetime, limit: int) -> Sequence[Ready]:
        found = await self._per_org("ready_turns", now, limit, {"runner": runner})
        return [Ready(OrgId(UUID(bytes=org)), SessionId(UUID(bytes=session))) for org, session in found]

    async def ready_turns_of(
        self, org: OrgId, runner: RunnerKind, pool: str, agents: Sequence[AgentId], now: datetime, limit: int
    ) -> Sequence[Ready]:
        bind = NumberedBinder(self._db.dialect)
        text = "SELECT t.session FROM turns t"
        if agents or runner == "external":
            text += " JOIN sessions s ON s.org = t.org AND s.id = t.session"
        if runner == "external":
            # The pool is that of the version that the session has, whatever its agent says by now.
            text += (
                " JOIN agent_versions v ON v.org = t.org AND v.agent = s.agent"
                " AND v.version = coalesce(t.agent_version, s.agent_version)"
            )
        text += (
            f" WHERE t.org = {bind(org)} AND t.runner = {bind(runner)}"
            f" AND t.status IN ('queued', 'retrying') AND t.ready_at <= {bind(rows.to_micros(now))}"
        )
        if runner == "external":
            text += f" AND coalesce(v.pool, {bind(DEFAULT_POOL)}) = {bind(pool)}"
        if agents:
            text += f" AND s.agent IN ({', '.join(bind(agent) for agent in agents)})"
        text += f" ORDER BY t.ready_at LIMIT {bind(limit)}"
        return [Ready(org, SessionId(UUID(bytes=row[0]))) for row in await self._db.select(text, bind.values)]

    async def list_keys(self, org: OrgId) -> Sequence[Key]:
        return [keys.key_of(row) for row in await self._db.all("list_keys", {"org": org})]

    async def get_key(self, org: OrgId, key: KeyId) -> Key | None:
        row = await self._db.one("get_key", {"org": org, "id": key})
        return None if row is None else keys.key_of(row)

    async def lapsed_leases(self, now: datetime, limit: int) -> Sequence[Lease]:
        params = {"now": rows.to_micros(now), "limit": limit}
        return [leases.lease_of(row) for row in await self._db.all("lapsed_leases", params)]

    async def lapsed_presences(self, now: datetime, limit: int) -> Sequence[Lease]:
        return [leases.lease_of(row) for row in await self._per_org("lapsed_presences", now, limit)]

    async def due_timers(self, now: datetime, limit: int) -> Sequence[DueTimer]:
        found = await self._per_org("due_timers", now, limit)
        return [
            DueTimer(OrgId(UUID(bytes=org)), SessionId(UUID(bytes=session)), kind)
            for org, session, kind in found
        ]

    async def due_asks(self, now: datetime, limit: int) -> Sequence[tuple[OrgId, SessionId, AskId]]:
        found = await self._per_org("due_asks", now, limit)
        return [
            (OrgId(UUID(bytes=org)), SessionId(UUID(bytes=session)), AskId(UUID(bytes=ask)))
            for org, session, ask in found
        ]

    async def due_inputs(self, now: datetime, limit: int) -> Sequence[tuple[OrgId, SessionId, InputId]]:
        found = await self._per_org("due_inputs", now, limit)
        return [
            (OrgId(UUID(bytes=org)), SessionId(UUID(bytes=session)), InputId(UUID(bytes=input)))
            for org, session, input in found
        ]

    async def _orgs(self) -> Sequence[OrgId]:
        return [OrgId(UUID(bytes=row[0])) for row in await self._db.all("orgs", {})]

    async def _per_org(
        self, name: str, now: datetime, limit: int, more: rows.Params = NO_PARAMS
    ) -> Sequence[rows.Row]:
        """One index probe an organisation: every index leads with org, so that tables can be distributed by it."""
        found: list[rows.Row] = []
        for org in await self._orgs():
            params = {"org": org, "now": rows.to_micros(now), "limit": limit, **more}
            found.extend(await self._db.all(name, params))
        return found


def compile_list(org: OrgId, query: SessionQuery, db: Db) -> tuple[str, list[object]]:
    """The text of a list and its values. The row comparison lets an index on (…, created_at, id) seek the page."""
    bind = NumberedBinder(db.dialect)
    text = _LIST
    if query.facet is not None:
        of_session = f"f.org = s.org AND f.session = s.id AND f.dialect = {bind(query.facet)}"
        text += f", (SELECT f.data FROM facets f WHERE {of_session})"
    text += f" FROM sessions s WHERE s.org = {bind(org)} AND {condition(query.where, bind, db.dialect)}"
    direction: Literal["ASC", "DESC"] = "DESC" if query.order == "desc" else "ASC"
    if query.after is not None:
        text += f" AND {_beyond(query.after, direction, bind)}"
    if query.sort:
        keys = [order(of, by, bind, db.dialect) for of, by in query.sort]
        text += f" ORDER BY {', '.join(keys)}, s.id ASC LIMIT {bind(query.limit)}"
    else:
        text += f" ORDER BY s.created_at {direction}, s.id {direction} LIMIT {bind(query.limit)}"
    if query.offset:
        text += f" OFFSET {bind(query.offset)}"
    return text, bind.values


def compile_count(org: OrgId, where: Filter, db: Db) -> tuple[str, list[object]]:
    bind = NumberedBinder(db.dialect)
    selected = condition(where, bind, db.dialect)
    return f"SELECT count(*) FROM sessions s WHERE s.org = {bind(org)} AND {selected}", bind.values


def _beyond(position: Position, direction: Literal["ASC", "DESC"], bind: NumberedBinder) -> str:
    comparison = "<" if direction == "DESC" else ">"
    return f"(s.created_at, s.id) {comparison} ({bind(position.created_at)}, {bind(position.id)})"


def compile_agents(org: OrgId, query: AgentQuery, db: Db) -> tuple[str, list[object]]:
    bind = NumberedBinder(db.dialect)
    text = f"SELECT a.id, v.version, v.spec, a.created_at, v.created_at, a.archived_at{_agents(org, query, bind)}"
    direction = "DESC" if query.order == "desc" else "ASC"
    if query.after is not None:
        comparison = "<" if query.order == "desc" else ">"
        text += (
            f" AND (a.created_at, a.id) {comparison} ({bind(query.after.created_at)}, {bind(query.after.id)})"
        )
    text += f" ORDER BY a.created_at {direction}, a.id {direction} LIMIT {bind(query.limit)}"
    if query.offset:
        text += f" OFFSET {bind(query.offset)}"
    return text, bind.values


def _agents(org: OrgId, query: AgentQuery, bind: NumberedBinder) -> str:
    """What the query selects, in whatever order and page."""
    joined = "v.org = a.org AND v.agent = a.id AND v.version = a.version"
    text = f" FROM agents a JOIN agent_versions v ON {joined} WHERE a.org = {bind(org)}"
    if query.archived is not None:
        text += f" AND a.archived_at IS {'NOT ' if query.archived else ''}NULL"
    if query.search is not None:
        text += _found_in(query.search, bind)
    return text


def _found_in(search: str, bind: NumberedBinder) -> str:
    for special in "\\%_":
        search = search.replace(special, f"\\{special}")
    description = "json_extract(v.spec, '$.description')"
    if bind.dialect == "postgres":
        description = "v.spec::json ->> 'description'"
    of_either = (like(text, f"%{search}%", bind, bind.dialect) for text in ("a.name", description))
    return f" AND ({' OR '.join(of_either)})"


def _plain(value: object) -> str:
    """An id is stored as its bytes."""
    return str(UUID(bytes=value)) if isinstance(value, bytes) else str(value)
