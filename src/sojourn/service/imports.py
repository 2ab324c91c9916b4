"""Imports: a session whose past is the log of an exported one, with the chain that it had.

The file is read twice. First all of it is checked, and nothing is written for one that is refused; then the past is
written a piece at a time as that of a fork is, and shown by the last transaction. What is read is read in a thread,
as somebody else chose what stands in it and how long that takes; the store's verbs stay on the event loop.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Final
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.agent import Agent
from sojourn.domain.capability import Catalogue
from sojourn.domain.commands import ImportSession
from sojourn.domain.content import Usage
from sojourn.domain.errors import AlreadyExists, InvalidRequest, NotFound, StoreUnavailable
from sojourn.domain.export import Header, Trailer
from sojourn.domain.ids import AgentId, EventId, OrgId, SessionId, uuid7
from sojourn.domain.input import Input
from sojourn.domain.kinds import Json
from sojourn.domain.log import StoredEvent
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.rebuild import Rebuild
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Session
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.codec import put_large, referred
from sojourn.service.forks import STAGED_FOR
from sojourn.service.import_check import Check, Checked, Lineage
from sojourn.service.import_reading import Past, Piece, take_piece
from sojourn.service.overlays import accepted
from sojourn.service.pasts import close_past, known_answer, write_rows
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, once

# The org-wide order is that of this store's own transactions, and what happened elsewhere stands before them all.
_ELSEWHERE: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NewImport:
    """What the header says, as far as a session may be made with it. `agent` None is the one of the header.

    `as_new` asks for an id of its own; else the session keeps the one that it had, unless that is taken here.
    """

    title: str | None = None
    metadata: Mapping[str, Json] = field(default_factory=dict[str, Json])
    tags: tuple[str, ...] = ()
    policy: Policy = NO_POLICY
    overlay: Overlay | None = None
    agent: AgentId | str | None = None
    external_id: str | None = None
    as_new: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One import in the making."""

    record: SessionRecord
    checked: Checked
    by: Actor
    rebuild: Rebuild

    def told(self, waiting: tuple[Input, ...]) -> ImportSession:
        return ImportSession(
            origin=self.checked.origin,
            at=self.checked.header.last_seq,
            head=self.checked.trailer.head,
            by=self.by,
            title=self.record.title,
            external_id=self.record.external_id,
            waiting=waiting,
            unfinished=self.checked.unfinished,
        )


class Imports:
    def __init__(self, store: Store, clock: Clock, agents: Agents, catalogue: Catalogue) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._catalogue = catalogue

    async def check(self, file: BinaryIO) -> Checked:
        """Read all of an export. BrokenExport names the line that makes it none that a session can be made of."""
        check = Check(self._clock.now())
        file.seek(0)
        while await asyncio.to_thread(take_piece, check, file):
            pass
        return check.end()

    async def load(
        self,
        org: OrgId,
        file: BinaryIO,
        checked: Checked,
        new: NewImport,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[SessionRecord]:
        """Make the session of a file that was checked."""
        known = await known_answer(self._store.reads, org, repeat)
        if known is None:
            agent = await self._agent(org, checked.header, new)
            forked_from = await self._parent_of(org, checked.lineage)
            record = self._record(org, checked, new, agent)
            if forked_from is not None:
                record = replace(record, forked_from=forked_from[0], forked_seq=forked_from[1])
            record = await self._stage(record, checked.origin, new.as_new)
            rebuild = Rebuild(record.session.runner)
            await self._write_past(file, record.session, rebuild)
            work = Work(record, checked, by, rebuild)
            now = record.session.created_at
            known = await self._store.write(
                lambda tx: once(tx, org, repeat, now, lambda: self._finish(tx, work))
            )
        record = await self._store.reads.get_session(org, SessionId(UUID(known.ids["session"])))
        if record is None:
            raise NotFound("session", known.ids["session"])
        return Result(record, known.created, known.replayed)

    async def _agent(self, org: OrgId, header: Header, new: NewImport) -> Agent:
        """The agent that was asked for, else the one of the header by its id, else by its name."""
        if new.agent is not None:
            found = await self._agents.resolve(org, new.agent)
        else:
            id, spec = header.agent.get("id"), header.agent.get("spec")
            name = spec.get("name") if isinstance(spec, dict) else None
            agent = await self._store.reads.get_agent(org, AgentId(_uuid(id)))
            if agent is None and isinstance(name, str):
                agent = await self._store.reads.find_agent(org, name)
            if agent is None:
                raise InvalidRequest("agent", f"there is no agent {str(name)[:200]} here; name one")
            found = agent
        if found.archived_at is not None:
            raise InvalidRequest("agent", f"the agent {found.spec.name} is archived")
        return found

    async def _parent_of(self, org: OrgId, lineage: Lineage | None) -> tuple[SessionId, int] | None:
        """The session that this one is a fork of, with the last seq that they share, if it is here and has that event.

        A log says whose fork it is in words that anybody can write.
        """
        if lineage is None or await self._store.reads.get_session(org, lineage.parent) is None:
            return None
        last = lineage.last
        events = await self._store.reads.events_after(org, lineage.parent, last.seq - 1, 1)
        said = [(event.seq, event.type, event.at, event.turn) for event in events]
        return (lineage.parent, last.seq) if said == [(last.seq, last.type, last.at, last.turn)] else None

    async def _write_past(self, file: BinaryIO, session: Session, rebuild: Rebuild) -> None:
        past = Past(file, rebuild)
        while (piece := await asyncio.to_thread(past.next_piece)) is not None:
            await self._store.write(lambda tx, piece=piece: _write_piece(tx, session, piece))

    async def _finish(self, tx: Tx, work: Work) -> Remembered:
        record, session = work.record, work.record.session
        org = session.org
        if record.external_id is not None and not await tx.insert_ref(
            org, "external_id", record.external_id, session.id
        ):
            existing = await tx.find_session(org, "external_id", record.external_id)
            if existing is not None:
                return Remembered({"session": str(existing)}, created=False)
        if not await tx.unstage_session(org, session.id, self._clock.now()):
            # It took so long that some of it may be purged already; a repetition begins anew.
            raise StoreUnavailable
        if not await tx.insert_session(record):
            raise AlreadyExists("session", session.id)
        await close_past(tx, session, work.rebuild, work.told, session.created_at)
        return Remembered({"session": str(session.id)})

    def _record(self, org: OrgId, checked: Checked, new: NewImport, agent: Agent) -> SessionRecord:
        """As a fork's: names, budgets and usage are its own, and its policy counts from now."""
        now = self._clock.now()
        overlay = accepted(new.overlay, agent.spec.runner, self._catalogue)
        session = Session(
            org=org,
            id=SessionId(uuid7()),
            agent=agent.id,
            agent_version=agent.version,
            runner=agent.spec.runner,
            created_at=now,
            opened_at=now,
            active_at=now,
            updated_at=now,
            next_seq=checked.header.last_seq + 1,
            policy=new.policy,
            overlaid=overlay is not None,
        )
        return SessionRecord(
            session=session,
            origin="native",
            title=new.title,
            metadata=new.metadata,
            tags=new.tags,
            external_id=new.external_id,
            first_seq=1,
            usage=Usage(),
            overlay=overlay,
        )

    async def _stage(self, record: SessionRecord, origin: SessionId, as_new: bool) -> SessionRecord:
        """The record under the id that it will have, which nobody else takes from now on."""
        org, until = record.session.org, self._clock.now() + STAGED_FOR
        kept = replace(record, session=replace(record.session, id=origin))

        async def verb(tx: Tx) -> SessionRecord:
            is_taken = (
                await tx.get_session(org, origin) is not None
                or await tx.get_tombstone(org, origin) is not None
            )
            chosen = record if as_new or is_taken else kept
            await tx.stage_session(org, chosen.session.id, until)
            return chosen

        return await self._store.write(verb)


async def _write_piece(tx: Tx, session: Session, piece: Piece) -> None:
    org, id = session.org, session.id
    for blob in piece.blobs:
        await tx.put_blob(org, bytes.fromhex(blob.sha256), blob.data)
    stored: list[StoredEvent] = []
    uses: list[tuple[int, bytes]] = []
    for one in piece.events:
        data = await put_large(tx, org, one.data.encode())
        event_id = EventId(uuid7())
        stored.append(
            StoredEvent(org, id, one.seq, event_id, one.type, one.v, one.at, one.turn, _ELSEWHERE, data)
        )
        uses += [(one.seq, sha256) for sha256 in (referred(data),) if sha256 is not None]
        if one.file is not None:
            uses.append((one.seq, bytes.fromhex(one.file)))
    await tx.load_events(stored)
    await tx.use_blobs(org, id, uses)
    await write_rows(tx, org, id, piece.rows)


def request_hash(trailer: Trailer, given: str) -> bytes:
    """What tells the same import from another: the file, and what was asked for with it."""
    return hashlib.sha256(f"{trailer.hash}\n{given}".encode()).digest()


def _uuid(value: Json) -> UUID:
    """An id that no agent has stands for what is none."""
    try:
        return UUID(str(value))
    except ValueError:
        return UUID(int=0)
