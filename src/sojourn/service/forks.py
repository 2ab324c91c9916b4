"""Forks: a new session whose past is the log of another, up to one of its events.

The child's log begins with copies of the parent's events, seq by seq, and its rows are made of that log alone. Large
data and files are shared by reference. What is open at that seq is closed in the child by events of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sojourn.domain.actor import Actor
from sojourn.domain.capability import Catalogue
from sojourn.domain.commands import ForkSession
from sojourn.domain.content import Usage
from sojourn.domain.errors import InvalidRequest, NotFound, StoreUnavailable
from sojourn.domain.events import MessageCompleted
from sojourn.domain.fold import Conversation, Unfinished
from sojourn.domain.ids import AgentId, MessageId, OrgId, SessionId, uuid7
from sojourn.domain.input import Input
from sojourn.domain.kinds import Json
from sojourn.domain.overlay import Overlay
from sojourn.domain.rebuild import REBUILT_FROM, Rebuild
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Session
from sojourn.domain.turn import Turn
from sojourn.ports import Clock, Store, Tx
from sojourn.service.agents import Agents
from sojourn.service.overlays import accepted
from sojourn.service.paging import read_page
from sojourn.service.pasts import Rows, close_past, known_answer, write_rows
from sojourn.service.results import UNSET, Repeat, Result, Unset
from sojourn.service.verbs import TURN_EVENTS, Remembered, lock, once

# Events that one transaction copies: what keeps every other writer of an SQLite file waiting is this much at most.
PIECE: Final = 200
# Within this time a fork is whole, or what was copied for it is purged.
STAGED_FOR: Final = timedelta(hours=1)

NO_ROWS: Final = Rows()

_STEPS: Final = (*TURN_EVENTS, MessageCompleted.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFork:
    """`at` is the last seq that the child shares, None the parent's newest. What is UNSET or None is as the parent's.

    An `external_id` makes forking create-or-get. `facet` is a dialect's name and its own fields as JSON text; the
    child has none of the parent's.
    """

    at: int | None = None
    title: str | Unset | None = UNSET
    metadata: Mapping[str, Json] | Unset = UNSET
    tags: tuple[str, ...] | Unset = UNSET
    agent: AgentId | str | None = None
    external_id: str | None = None
    origin: str = "native"
    facet: tuple[str, str] | None = None
    overlay: Overlay | Unset | None = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the past: the events behind `after` up to `upto`, and rows that follow from what stands before."""

    after: int
    upto: int
    rows: Rows = NO_ROWS


@dataclass(frozen=True, slots=True)
class Work:
    """One fork in the making."""

    parent: SessionRecord
    child: SessionRecord
    at: int
    by: Actor
    now: datetime
    rebuild: Rebuild
    facet: tuple[str, str] | None
    unfinished: list[Unfinished] = field(default_factory=lambda: [Unfinished()])

    def told(self, waiting: tuple[Input, ...]) -> ForkSession:
        return ForkSession(
            parent=self.parent.session.id,
            at=self.at,
            title=self.child.title,
            external_id=self.child.external_id,
            by=self.by,
            waiting=waiting,
            unfinished=self.unfinished[0],
        )


class Forks:
    def __init__(self, store: Store, clock: Clock, agents: Agents, catalogue: Catalogue) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._catalogue = catalogue

    async def fork(
        self, org: OrgId, parent: SessionId, new: NewFork, by: Actor, repeat: Repeat | None = None
    ) -> Result[SessionRecord]:
        """The child. InvalidRequest for an `at` that is no seq of the log.

        A long past is copied a piece at a time before the transaction that makes the session, and until then nobody
        sees any of it: what stands in a log does not change, so it is the same whenever it is copied.
        """
        known = await known_answer(self._store.reads, org, repeat)
        if known is None:
            known = await self._make(await self._begin(org, parent, new, by), repeat)
        dialect = None if new.facet is None else new.facet[0]
        record = await self._store.reads.get_session(org, SessionId(UUID(known.ids["session"])), dialect)
        if record is None:
            raise NotFound("session", known.ids["session"])
        return Result(record, known.created, known.replayed)

    async def _begin(self, org: OrgId, parent: SessionId, new: NewFork, by: Actor) -> Work:
        source = await self._store.reads.get_session(org, parent)
        if source is None:
            raise NotFound("session", parent)
        last = source.session.next_seq - 1
        at = last if new.at is None else new.at
        if not source.first_seq <= at <= last:
            raise InvalidRequest("at", f"must be a seq of the log, {source.first_seq} to {last}")
        now = self._clock.now()
        child = await self._child(source, at, new, now)
        return Work(source, child, at, by, now, Rebuild(source.session.runner), new.facet)

    async def _child(self, parent: SessionRecord, at: int, new: NewFork, now: datetime) -> SessionRecord:
        """Its leases, queue, asks, names, budgets and usage are its own; its policy counts from now."""
        former = parent.session
        agent, version, runner = former.agent, former.agent_version, former.runner
        if new.agent is not None:
            given = await self._agents.resolve(former.org, new.agent)
            if given.archived_at is not None:
                raise InvalidRequest("agent", f"the agent {given.spec.name} is archived")
            agent, version, runner = given.id, given.version, given.spec.runner
        overlay = parent.overlay
        if not isinstance(new.overlay, Unset) and new.overlay is not None:
            overlay = accepted(new.overlay, runner, self._catalogue)
        elif new.overlay is None:
            overlay = None
        session = Session(
            org=former.org,
            id=SessionId(uuid7()),
            agent=agent,
            agent_version=version,
            runner=runner,
            created_at=now,
            opened_at=now,
            active_at=now,
            updated_at=now,
            next_seq=at + 1,
            policy=former.policy,
            overlaid=overlay is not None,
        )
        return replace(
            parent,
            session=session,
            origin=new.origin,
            title=parent.title if isinstance(new.title, Unset) else new.title,
            metadata=parent.metadata if isinstance(new.metadata, Unset) else new.metadata,
            tags=parent.tags if isinstance(new.tags, Unset) else new.tags,
            external_id=new.external_id,
            alias=None,
            usage=Usage(),
            facet=None,
            overlay=overlay,
            forked_from=former.id,
            forked_seq=at,
        )

    async def _make(self, work: Work, repeat: Repeat | None) -> Remembered:
        held: Piece | None = None
        is_staged = False
        async with aclosing(self._pieces(work)) as pieces:
            async for piece in pieces:
                if held is not None:
                    await self._stage(work, held, is_first=not is_staged)
                    is_staged = True
                held = piece
        assert held is not None
        last = held

        async def verb(tx: Tx) -> Remembered:
            return await once(
                tx, work.child.session.org, repeat, work.now, lambda: self._finish(tx, work, last, is_staged)
            )

        return await self._store.write(verb)

    async def _pieces(self, work: Work) -> AsyncGenerator[Piece]:
        """The past in pieces. The last of them is written by the transaction that makes the session."""
        reads, session, rebuild = self._store.reads, work.parent.session, work.rebuild
        after = work.parent.first_seq - 1
        while after < work.at:
            upto = min(after + PIECE, work.at)
            page = await read_page(reads, session.org, session.id, after, PIECE, REBUILT_FROM, upto=upto)
            for event, entry in page:
                rebuild.apply(entry, event.at)
            is_last = upto == work.at
            files = list(rebuild.files.values()) if is_last else []
            if is_last and rebuild.turn is not None:
                work.unfinished[:] = [await self._unfinished(work, rebuild.turn)]
            done = rebuild.take_settled()
            yield Piece(
                after=after,
                upto=upto,
                rows=Rows(turns=done.turns, inputs=done.inputs, asks=done.asks, files=files[:PIECE]),
            )
            for start in range(PIECE, len(files), PIECE):
                yield Piece(after=upto, upto=upto, rows=Rows(files=files[start : start + PIECE]))
            after = upto
            # On SQLite a read does not suspend: give the others their turn between two pieces.
            await asyncio.sleep(0)

    async def _unfinished(self, work: Work, turn: Turn) -> Unfinished:
        """What the turn that is open at the fork had begun by then, and not ended."""
        reads, session = self._store.reads, work.parent.session
        conversation, said = Conversation(), set[MessageId]()
        after = turn.first_seq - 1
        while after < work.at:
            upto = min(after + PIECE, work.at)
            page = await read_page(reads, session.org, session.id, after, PIECE, _STEPS, upto=upto)
            entries = [entry for event, entry in page if event.turn == turn.id]
            conversation.extend(entries)
            said |= {entry.event.message for entry in entries if isinstance(entry.event, MessageCompleted)}
            after = upto
        left = conversation.progress.unfinished()
        # A fork may fall between a message and the word that its call is over: what was said stays said.
        is_said = left.message is not None and left.message.message in said
        return replace(left, message=None) if is_said else left

    async def _stage(self, work: Work, piece: Piece, is_first: bool) -> None:
        session = work.child.session

        async def verb(tx: Tx) -> None:
            if is_first:
                await tx.stage_session(session.org, session.id, work.now + STAGED_FOR)
            await _write_piece(tx, work, piece)

        await self._store.write(verb)

    async def _finish(self, tx: Tx, work: Work, last: Piece, is_staged: bool) -> Remembered:
        """Make the session, under the parent's lock: it is there until its past is whole in the child."""
        record, session = work.child, work.child.session
        org = session.org
        await lock(tx, org, work.parent.session.id)
        parent = await tx.get_session(org, work.parent.session.id)
        if parent is None or parent.first_seq != work.parent.first_seq:
            # What was read of a log that was cut meanwhile may lack its beginning; a repetition begins where it does.
            raise StoreUnavailable
        if record.external_id is not None and not await tx.insert_ref(
            org, "external_id", record.external_id, session.id
        ):
            existing = await tx.find_session(org, "external_id", record.external_id)
            if existing is not None:
                return Remembered({"session": str(existing)}, created=False)
        if is_staged and not await tx.unstage_session(org, session.id, self._clock.now()):
            # It took so long that some of it may be purged already; a repetition begins anew.
            raise StoreUnavailable
        await tx.insert_session(record)
        if work.facet is not None:
            await tx.write_facet(org, session.id, *work.facet)
        await _write_piece(tx, work, last)
        await close_past(tx, session, work.rebuild, work.told, work.now)
        return Remembered({"session": str(session.id)})


async def _write_piece(tx: Tx, work: Work, piece: Piece) -> None:
    parent, child = work.parent.session, work.child.session
    org, id = child.org, child.id
    copied = await tx.copy_events(org, parent.id, id, piece.after, piece.upto)
    if copied != piece.upto - piece.after:
        # The parent was deleted meanwhile, or its log was cut, and its history is being purged: a repetition says so.
        raise StoreUnavailable
    await write_rows(tx, org, id, piece.rows)
