"""Sessions: create, read, describe, end, archive, delete."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from sojourn.domain.agent import Agent
from sojourn.domain.commands import Command, EndSession, UpdateSession
from sojourn.domain.content import Usage
from sojourn.domain.draft import State, moved_timers
from sojourn.domain.errors import AlreadyExists, InvalidRequest, NotFound
from sojourn.domain.events import Actor, Json, LeaseAcquired, SessionCreated
from sojourn.domain.file import NewFile, initial_files
from sojourn.domain.file_events import FileWritten
from sojourn.domain.filter import Expression, Filter, SessionQuery
from sojourn.domain.ids import AgentId, OrgId, SessionId, uuid7
from sojourn.domain.log import NewEvent
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.record import Lease, SessionRecord, Tombstone
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.domain.turn import TurnSpan
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.hub import Hub
from sojourn.service.names import Name, take_name
from sojourn.service.results import UNSET, Repeat, Result, Unset
from sojourn.service.verbs import Remembered, append, carry_out, lock, once, stopped

EndStatus = Literal["completed", "failed", "cancelled", "expired"]

# More inputs than this are never queued on one session.
MAX_QUEUED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """`facet` is a dialect's name and its own fields as JSON text. An `external_id` makes creation create-or-get.

    `stated_status` is the client's own word for the session's state.
    """

    id: SessionId | None = None
    agent: AgentId | str | None = None
    title: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])
    tags: tuple[str, ...] = ()
    external_id: str | None = None
    policy: Policy = NO_POLICY
    origin: str = "native"
    facet: tuple[str, str] | None = None
    stated_status: str | None = None
    # May be that of other sessions too: the newest is meant.
    alias: str | None = None
    # Of one driven session at a time: AlreadyExists while another has it.
    name: Name | None = None
    # The holder of a presence that stands from the start.
    driver: str | None = None
    # What the file area holds from the start; InvalidRequest as `initial_files` says.
    files: tuple[NewFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionChange:
    """New values; UNSET, or None where a value cannot be null, leaves a field as it is.

    `expires_at` is that one deadline of the policy. `facet` replaces a dialect's own fields (its name, JSON text).
    `active_at` is when the session was last active, `stated_status` the client's own word for its state; `end` ends
    a session that is open.
    """

    title: str | Unset | None = UNSET
    metadata: Mapping[str, Json] | Unset = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    policy: Policy | Unset = UNSET
    expires_at: datetime | Unset | None = UNSET
    facet: tuple[str, str] | None = None
    alias: str | Unset | None = UNSET
    active_at: datetime | None = None
    stated_status: str | None = None
    end: EndStatus | None = None


class Sessions:
    def __init__(self, store: Store, clock: Clock, agents: Agents, hub: Hub) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._hub = hub

    async def create(
        self, org: OrgId, new: NewSession, by: Actor, repeat: Repeat | None = None
    ) -> Result[SessionRecord]:
        now = self._clock.now()
        new = replace(new, files=initial_files(new.files)) if new.files else new
        record = await self.prepare(org, new)
        session = record.session

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: self.make(tx, new, record))

        answer = await self._store.write(verb)
        if answer.created and not answer.replayed and session.policy is NO_POLICY:
            return Result(record)
        dialect = None if new.facet is None else new.facet[0]
        value = await self.get(org, SessionId(UUID(answer.ids["session"])), dialect)
        return Result(value, answer.created, answer.replayed)

    async def make(self, tx: Tx, new: NewSession, record: SessionRecord) -> Remembered:
        """Write a session that was prepared, or find the one that has its `external_id`."""
        session = record.session
        org = session.org
        if new.name is not None:
            await take_name(tx, org, new.name, session.id)
        if new.external_id is not None:
            existing = await self._claim_name(tx, org, new.external_id, session.id)
            if existing is not None:
                return Remembered({"session": str(existing)}, created=False)
        # A deleted session keeps its id: its history may not be purged yet, and its log ended for good.
        if new.id is not None and await tx.get_tombstone(org, new.id) is not None:
            raise AlreadyExists("deleted session", new.id)
        if not await tx.insert_session(record):
            raise AlreadyExists("session", session.id)
        if new.facet is not None:
            await tx.write_facet(org, session.id, *new.facet)
        if session.policy is not NO_POLICY:
            await tx.write_timers(org, session.id, moved_timers(None, State(session=session)))
        if new.driver is not None:
            await tx.insert_lease(_presence(session, new.driver))
        for file in new.files:
            await tx.put_blob(org, hashlib.sha256(file.data).digest(), file.data)
        await append(tx, org, session.id, 1, _first_events(new, session), session.created_at)
        return Remembered({"session": str(session.id)})

    async def prepare(self, org: OrgId, new: NewSession) -> SessionRecord:
        """The session as it will be. Nothing is written yet."""
        agent = await self._agents.resolve(org, new.agent)
        if agent.archived_at is not None:
            raise InvalidRequest("agent", f"the agent {agent.spec.name} is archived")
        return self._record(org, new, agent)

    def _record(self, org: OrgId, new: NewSession, agent: Agent) -> SessionRecord:
        now = self._clock.now()
        session = Session(
            org=org,
            id=new.id or SessionId(uuid7()),
            agent=agent.id,
            agent_version=agent.version,
            runner=agent.spec.runner,
            created_at=now,
            opened_at=now,
            active_at=now,
            updated_at=now,
            next_seq=2 + (new.driver is not None) + len(new.files),
            presences=0 if new.driver is None else 1,
            activity=Activity.IDLE if new.driver is None else Activity.BUSY,
            policy=new.policy.over(agent.spec.policy),
            stated_status=new.stated_status,
        )
        return SessionRecord(
            session=session,
            origin=new.origin,
            title=new.title,
            metadata=new.metadata,
            tags=new.tags,
            external_id=new.external_id,
            first_seq=1,
            usage=Usage(),
            facet=None if new.facet is None else new.facet[1],
            alias=new.alias,
        )

    async def _claim_name(self, tx: Tx, org: OrgId, external_id: str, session: SessionId) -> SessionId | None:
        """None if the name is now the new session's; otherwise whose it is. The insert waits for a rival's end."""
        if await tx.insert_ref(org, "external_id", external_id, session):
            return None
        return await tx.find_session(org, "external_id", external_id)

    async def get(self, org: OrgId, session: SessionId, facet: str | None = None) -> SessionRecord:
        """`facet` names the dialect whose facet the record brings along."""
        record = await self._store.reads.get_session(org, session, facet)
        if record is None:
            raise NotFound("session", session)
        return record

    async def list(self, org: OrgId, query: SessionQuery) -> Sequence[SessionRecord]:
        return await self._store.reads.list_sessions(org, query)

    async def count(self, org: OrgId, where: Filter) -> int:
        return await self._store.reads.count_sessions(org, where)

    async def count_by(self, org: OrgId, where: Filter, by: Expression) -> Mapping[str, int]:
        """How many sessions there are of each value of a text."""
        return await self._store.reads.count_sessions_by(org, where, by)

    async def turn_spans(self, org: OrgId, sessions: Sequence[SessionId]) -> Mapping[SessionId, TurnSpan]:
        return await self._store.reads.turn_spans(org, sessions)

    async def update(
        self,
        org: OrgId,
        session: SessionId,
        change: SessionChange,
        by: Actor,
        expected_revision: int | None = None,
    ) -> SessionRecord:
        async def verb(tx: Tx) -> None:
            state = await lock(tx, org, session)
            command = UpdateSession(
                changes=_changes(change),
                by=by,
                expected_revision=expected_revision,
                policy=_policy(change, state.session.policy),
                stated_status=change.stated_status,
                active_at=change.active_at,
            )
            await carry_out(tx, state, command, self._clock.now())
            if change.facet is not None:
                await tx.write_facet(org, session, *change.facet)
            if not isinstance(change.alias, Unset):
                await tx.write_alias(org, session, change.alias)
            record = await tx.get_session(org, session)
            if record is None:
                raise NotFound("session", session)
            await tx.describe_session(
                org,
                session,
                record.title if isinstance(change.title, Unset) else change.title,
                record.metadata if isinstance(change.metadata, Unset) else change.metadata,
                record.tags if isinstance(change.tags, Unset) else change.tags,
                before=record.tags,
            )
            if change.end is not None and state.session.status is SessionStatus.OPEN:
                state = await lock(tx, org, session)
                await carry_out(tx, state, await self.ending(tx, state, change.end, by), self._clock.now())

        await self._store.write(verb)
        return await self.get(org, session, None if change.facet is None else change.facet[0])

    async def end(
        self,
        org: OrgId,
        session: SessionId,
        status: EndStatus,
        reason: str | None,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[SessionRecord]:
        async def command(tx: Tx, state: State) -> Command:
            return await self.ending(tx, state, status, by, reason)

        return await self._change(org, session, command, repeat)

    async def ending(
        self, tx: Tx, state: State, status: EndStatus, by: Actor, reason: str | None = None
    ) -> EndSession:
        """The command that ends a locked session, and everything in it."""
        org, session = state.session.org, state.session.id
        return EndSession(
            status=status,
            by=by,
            reason=reason,
            queued=tuple(await tx.queued_inputs(org, session, steers_only=False, limit=MAX_QUEUED)),
            unfinished=await stopped(tx, state, self._hub),
        )

    async def archive(
        self, org: OrgId, session: SessionId, archived: bool, by: Actor, repeat: Repeat | None = None
    ) -> Result[SessionRecord]:
        async def command(_tx: Tx, _state: State) -> Command:
            return UpdateSession(changes={"archived": archived}, by=by, archived=archived)

        return await self._change(org, session, command, repeat)

    async def _change(
        self,
        org: OrgId,
        session: SessionId,
        command: Callable[[Tx, State], Awaitable[Command]],
        repeat: Repeat | None,
    ) -> Result[SessionRecord]:
        now = self._clock.now()

        async def verb(tx: Tx) -> Remembered:
            async def change() -> Remembered:
                state = await lock(tx, org, session)
                await carry_out(tx, state, await command(tx, state), now)
                return Remembered({"session": str(session)}, created=False)

            return await once(tx, org, repeat, now, change)

        answer = await self._store.write(verb)
        return Result(await self.get(org, session), created=False, replayed=answer.replayed)

    async def delete(self, org: OrgId, session: SessionId, by: Actor) -> None:
        """End and revoke in one transaction: nobody writes to the session after it, and its feeds close."""
        now = self._clock.now()

        async def verb(tx: Tx) -> None:
            state = await lock(tx, org, session)
            record = await tx.get_session(org, session)
            if record is None:
                raise NotFound("session", session)
            await tx.delete_session(record, Tombstone(session, state.session.next_seq - 1, now, by.key))

        await self._store.write(verb)
        self._hub.close_session(org, session)


def _first_events(new: NewSession, session: Session) -> list[NewEvent]:
    created = SessionCreated(
        agent=session.agent,
        agent_version=session.agent_version,
        origin=new.origin,
        title=new.title,
        external_id=new.external_id,
    )
    events = [NewEvent(created)]
    if new.driver is not None:
        events.append(NewEvent(LeaseAcquired(kind="presence", holder=new.driver)))
    events.extend(NewEvent(_written(file)) for file in new.files)
    return events


def _written(file: NewFile) -> FileWritten:
    sha256 = hashlib.sha256(file.data).hexdigest()
    return FileWritten(path=file.path, sha256=sha256, size=len(file.data), readonly=file.readonly)


def _presence(session: Session, holder: str) -> Lease:
    """The creation is the first sign of life."""
    return Lease(
        org=session.org,
        session=session.id,
        kind="presence",
        holder=holder,
        ttl_seconds=None,
        last_seen_at=session.created_at,
    )


def _policy(change: SessionChange, policy: Policy) -> Policy | None:
    """The session's next policy, None if the change leaves it as it is."""
    if not isinstance(change.policy, Unset):
        # `expires_at` is set by itself, and by clients that know of no other limit.
        policy = replace(change.policy, expires_at=change.policy.expires_at or policy.expires_at)
    elif isinstance(change.expires_at, Unset) or change.expires_at == policy.expires_at:
        return None
    if not isinstance(change.expires_at, Unset):
        policy = replace(policy, expires_at=change.expires_at)
    return NO_POLICY if policy == NO_POLICY else policy


def _changes(change: SessionChange) -> dict[str, Json]:
    """What the log says of a change."""
    changes = _described(change)
    if not isinstance(change.expires_at, Unset):
        changes["expires_at"] = None if change.expires_at is None else change.expires_at.isoformat()
    if change.facet is not None:
        dialect, data = change.facet
        facet: Any = msgspec.json.decode(data)
        changes["facet"] = {dialect: facet}
    if not isinstance(change.alias, Unset):
        changes["alias"] = change.alias
    if change.active_at is not None:
        changes["active_at"] = change.active_at.isoformat()
    if change.stated_status is not None:
        changes["stated_status"] = change.stated_status
    return changes


def _described(change: SessionChange) -> dict[str, Json]:
    changes: dict[str, Json] = {}
    if not isinstance(change.title, Unset):
        changes["title"] = change.title
    if not isinstance(change.metadata, Unset):
        changes["metadata"] = dict(change.metadata)
    if not isinstance(change.tags, Unset):
        changes["tags"] = list(change.tags)
    if not isinstance(change.policy, Unset):
        policy = change.policy
        changes["policy"] = {
            "idle_timeout_seconds": policy.idle_timeout_seconds,
            "max_lifetime_seconds": policy.max_lifetime_seconds,
            "max_turn_seconds": policy.max_turn_seconds,
            "expires_at": None if policy.expires_at is None else policy.expires_at.isoformat(),
        }
    return changes
