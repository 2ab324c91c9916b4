"""Sessions: create, read, describe, end, archive, delete."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.agent import Agent
from sojourn.domain.capability import Catalogue
from sojourn.domain.commands import Command, EndSession, ReceiveInput, UpdateSession
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.draft import State, moved_timers
from sojourn.domain.errors import AlreadyExists, InvalidRequest, NotFound
from sojourn.domain.events import LeaseAcquired, SessionCreated
from sojourn.domain.file import NewFile, initial_files
from sojourn.domain.file_events import FileWritten
from sojourn.domain.filter import Expression, Filter, SessionQuery
from sojourn.domain.ids import AgentId, InputId, OrgId, SessionId, TurnId, uuid7
from sojourn.domain.kin import NO_KIN, Kin, Parent
from sojourn.domain.kinds import Json
from sojourn.domain.log import NewEvent
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.queue import MAX_QUEUED
from sojourn.domain.record import Lease, SessionRecord, SessionTotals
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.domain.turn import TurnSpan
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.changes import EndStatus, SessionChange, changed_fields, describe, next_policy
from sojourn.service.hub import Hub
from sojourn.service.lifetimes import remove
from sojourn.service.names import Name, take_name
from sojourn.service.orgs import Orgs
from sojourn.service.overlays import accepted
from sojourn.service.results import Repeat, Result, Unset
from sojourn.service.verbs import Remembered, append, carry_out, lock, once, stopped


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
    overlay: Overlay | None = None
    # Of one driven session at a time: AlreadyExists while another has it.
    name: Name | None = None
    # The holder of a presence that stands from the start.
    driver: str | None = None
    # What the file area holds from the start; InvalidRequest as `initial_files` says.
    files: tuple[NewFile, ...] = ()
    # The first message, received with the creation.
    message: tuple[TextPart, ...] = ()
    # Its place in a tree of sessions, and what it has of its parent's facets by dialect.
    kin: Kin = NO_KIN
    facets: Mapping[str, str] = field(default_factory=dict[str, str])


class Sessions:
    """`catalogue` holds what an agent of the `model` runner may have."""

    def __init__(
        self, store: Store, clock: Clock, agents: Agents, orgs: Orgs, hub: Hub, catalogue: Catalogue
    ) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._orgs = orgs
        self._hub = hub
        self._catalogue = catalogue

    async def create(
        self, org: OrgId, new: NewSession, by: Actor, repeat: Repeat | None = None
    ) -> Result[SessionRecord]:
        now = self._clock.now()
        new = replace(new, files=initial_files(new.files)) if new.files else new
        record = await self.prepare(org, new)
        session = record.session

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: self.make(tx, new, record, by))

        answer = await self._store.write(verb)
        if answer.created and not answer.replayed and session.policy is NO_POLICY and not new.message:
            return Result(record)
        dialect = None if new.facet is None else new.facet[0]
        value = await self.get(org, SessionId(UUID(answer.ids["session"])), dialect)
        return Result(value, answer.created, answer.replayed)

    async def make(self, tx: Tx, new: NewSession, record: SessionRecord, by: Actor) -> Remembered:
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
        for dialect, text in new.facets.items():
            await tx.write_facet(org, session.id, dialect, text)
        if session.policy is not NO_POLICY:
            await tx.write_timers(org, session.id, moved_timers(None, State(session=session)))
        if new.driver is not None:
            await tx.insert_lease(_presence(session, new.driver))
        await _begin(tx, new, session, by)
        return Remembered({"session": str(session.id)})

    async def prepare(self, org: OrgId, new: NewSession) -> SessionRecord:
        """The session as it will be. Nothing is written yet."""
        agent = await self._agents.resolve(org, new.agent)
        if agent.archived_at is not None:
            raise InvalidRequest("agent", f"the agent {agent.spec.name} is archived")
        # As the session keeps its agent's version, it keeps the policy that stands now, whatever becomes of it.
        policy = new.policy.over(agent.spec.policy).over(await self._orgs.policy(org))
        return self._record(org, new, agent, policy)

    def _record(self, org: OrgId, new: NewSession, agent: Agent, policy: Policy) -> SessionRecord:
        now = self._clock.now()
        overlay = accepted(new.overlay, agent.spec.runner, self._catalogue)
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
            policy=policy,
            stated_status=new.stated_status,
            overlaid=overlay is not None,
            kin=new.kin,
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
            overlay=overlay,
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

    async def totals(self, org: OrgId, where: Filter) -> SessionTotals:
        """What the sessions that a filter selects come to together."""
        return await self._store.reads.session_totals(org, where)

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
        revise = change.revise
        dialect = change.facet[0] if change.facet is not None else None if revise is None else revise[0]

        async def verb(tx: Tx) -> None:
            state = await lock(tx, org, session)
            record = await tx.get_session(org, session, dialect)
            if record is None:
                raise NotFound("session", session)
            facet = change.facet if revise is None else (revise[0], revise[1](record))
            wanted = self._accepted(change, state)
            command = UpdateSession(
                changes=changed_fields(wanted, facet),
                by=by,
                expected_revision=expected_revision,
                policy=next_policy(change, state.session.policy),
                stated_status=change.stated_status,
                active_at=change.active_at,
                overlaid=None if isinstance(wanted.overlay, Unset) else wanted.overlay is not None,
            )
            await carry_out(tx, state, command, self._clock.now())
            if facet is not None:
                await tx.write_facet(org, session, *facet)
            if not isinstance(change.alias, Unset):
                await tx.write_alias(org, session, change.alias)
            await describe(tx, record, wanted)
            if change.end is not None and state.session.status is SessionStatus.OPEN:
                state = await lock(tx, org, session)
                await carry_out(tx, state, await self.ending(tx, state, change.end, by), self._clock.now())

        await self._store.write(verb)
        return await self.get(org, session, dialect)

    def _accepted(self, change: SessionChange, state: State) -> SessionChange:
        if isinstance(change.overlay, Unset):
            return change
        return replace(change, overlay=accepted(change.overlay, state.session.runner, self._catalogue))

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
            await remove(tx, await lock(tx, org, session), now, by)

        await self._store.write(verb)
        self._hub.delete_session(org, session)


async def _begin(tx: Tx, new: NewSession, session: Session, by: Actor) -> None:
    """Write the log's first entries, and what they refer to."""
    org = session.org
    for file in new.files:
        await tx.put_blob(org, hashlib.sha256(file.data).digest(), file.data)
    await append(tx, org, session.id, 1, _first_events(new, session), session.created_at)
    if new.message:
        # The row is this transaction's own, so there is nothing to lock.
        await carry_out(tx, State(session=session), _first_message(new.message, by), session.created_at)


def _first_events(new: NewSession, session: Session) -> list[NewEvent]:
    created = SessionCreated(
        agent=session.agent,
        agent_version=session.agent_version,
        origin=new.origin,
        title=new.title,
        external_id=new.external_id,
        parent=_parent(session.kin),
    )
    events = [NewEvent(created)]
    if new.driver is not None:
        events.append(NewEvent(LeaseAcquired(kind="presence", holder=new.driver)))
    events.extend(NewEvent(_written(file)) for file in new.files)
    return events


def _parent(kin: Kin) -> Parent | None:
    if kin.parent is None or kin.turn is None or kin.ask is None:
        return None
    return Parent(session=kin.parent, turn=kin.turn, ask=kin.ask)


def _written(file: NewFile) -> FileWritten:
    sha256 = hashlib.sha256(file.data).hexdigest()
    return FileWritten(path=file.path, sha256=sha256, size=len(file.data), readonly=file.readonly)


def _first_message(content: tuple[TextPart, ...], by: Actor) -> ReceiveInput:
    input, turn = InputId(uuid7()), TurnId(uuid7())
    return ReceiveInput(input=input, turn=turn, kind="message", delivery="queue", content=content, by=by)


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
