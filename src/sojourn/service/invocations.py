"""Sessions that are called by an alias: an input makes the session if need be, and its sender waits for the answer.

A session that was made without an alias is called by its id.
"""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from sojourn.domain import events as e
from sojourn.domain.actor import Actor
from sojourn.domain.ask import Ask
from sojourn.domain.draft import State
from sojourn.domain.errors import NotFound
from sojourn.domain.feed import CaughtUp, Closing, FeedItem, Preview
from sojourn.domain.ids import AskId, InputId, MessageId, OrgId, SessionId
from sojourn.domain.input import Input
from sojourn.domain.kinds import AskKind
from sojourn.domain.log import StoredEvent
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.ports import Clock, Store, Tx
from sojourn.service.codec import read_entry
from sojourn.service.feed import Feed
from sojourn.service.inputs import Inputs, NewInput
from sojourn.service.results import Repeat, Result
from sojourn.service.sessions import EndStatus, NewSession, Sessions
from sojourn.service.verbs import Remembered, carry_out, lock, once


@dataclass(frozen=True, slots=True)
class Invoked:
    session: SessionId
    alias: str
    input: Input


@dataclass(frozen=True, slots=True)
class HeldUp:
    """The turn of an input cannot begin by itself: a process outside drives the session, or the turn before waits.

    `asks` are the questions that the turn before waits for; there are none where the session is driven, or that turn
    waits for a budget.
    """

    asks: Sequence[Ask]


TurnItem = e.Event | Preview | Closing | HeldUp


class Invocations:
    def __init__(self, store: Store, clock: Clock, sessions: Sessions, inputs: Inputs, feed: Feed) -> None:
        self._store = store
        self._clock = clock
        self._sessions = sessions
        self._inputs = inputs
        self._feed = feed

    async def invoke(
        self,
        org: OrgId,
        alias: str,
        new: NewSession,
        input: NewInput,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[Invoked]:
        """Send an input to the newest session of an alias, which is made as `new` says if there is none.

        Of those who come at once with an alias that has no session, one makes it and all send to it. NotFound for the
        id of a session that was deleted.
        """
        now = self._clock.now()
        called = replace(new, alias=alias)
        record = await self._sessions.prepare(org, called)
        sent: list[Input] = []

        async def receive(tx: Tx) -> Remembered:
            state = await self._find_or_make(tx, alias, called, record, by)
            sent[:] = [await self._inputs.receive(tx, state, input, by, now)]
            session = state.session.id
            ids = {"session": str(session), "input": str(sent[0].id), "alias": alias}
            return Remembered(ids, created=session == record.session.id)

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: receive(tx))

        answer = await self._store.write(verb)
        session = SessionId(UUID(answer.ids["session"]))
        if answer.replayed:
            sent[:] = [await self._inputs.get(org, session, InputId(UUID(answer.ids["input"])))]
        return Result(Invoked(session, answer.ids["alias"], sent[0]), answer.created, answer.replayed)

    async def _find_or_make(
        self, tx: Tx, alias: str, new: NewSession, record: SessionRecord, by: Actor
    ) -> State:
        org = record.session.org
        state = await _lock_newest(tx, org, alias)
        if state is None:
            # Whoever made one in the meantime had this lock until its commit, so the second look finds it.
            await tx.lock_alias(org, alias)
            state = await _lock_newest(tx, org, alias)
        if state is None:
            id = _id_of(alias)
            # A call by the id of a session that was deleted is meant for that one, and begins no other.
            if id is not None and await tx.get_tombstone(org, id) is not None:
                raise NotFound("session", alias)
            await self._sessions.make(tx, new, record, by)
            state = await lock(tx, org, record.session.id)
        return state

    async def stop(
        self, org: OrgId, alias: str, status: EndStatus, by: Actor, repeat: Repeat | None = None
    ) -> None:
        """End the newest session of an alias. NotFound if there is none, or it has ended already."""
        now = self._clock.now()

        async def end(tx: Tx) -> Remembered:
            state = await _lock_newest(tx, org, alias)
            if state is None or state.session.status is not SessionStatus.OPEN:
                raise NotFound("running session", alias)
            await carry_out(tx, state, await self._sessions.ending(tx, state, status, by), now)
            return Remembered({"session": str(state.session.id)}, created=False)

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: end(tx))

        await self._store.write(verb)

    async def follow(self, org: OrgId, session: SessionId, input: Input) -> AsyncGenerator[TurnItem]:
        """All that the log says of the turn of a queued input, with the previews of its messages, to the turn's end.

        It also ends while the turn waits for a decision, or is held up: that has no end that a sender could wait for.
        What was decided before this is asked does not count as waiting, nor does a session that the turn has started.
        NotFound at once, also for an input that was cut from the log.
        """
        record = await self._sessions.get(org, session)
        if record.first_seq > input.position:
            raise NotFound("input", input.id)
        return self._follow(org, session, input, await self._feed.follow(org, session, input.position - 1))

    async def _follow(
        self, org: OrgId, session: SessionId, input: Input, feed: AsyncGenerator[FeedItem]
    ) -> AsyncGenerator[TurnItem]:
        watch = _Watch(input)
        async with aclosing(feed):
            async for item in feed:
                if isinstance(item, StoredEvent) and watch.may_concern(item):
                    event = (await read_entry(self._store.reads, item)).event
                    if event is not None and watch.sees(event):
                        yield event
                elif isinstance(item, Closing) or (isinstance(item, Preview) and watch.shows(item)):
                    yield item
                elif isinstance(item, CaughtUp):
                    watch.is_live = True
                if watch.is_over():
                    return
                if watch.may_be_stuck(item) and (held_up := await self._held_up(org, session)) is not None:
                    yield held_up
                    return

    async def _held_up(self, org: OrgId, session: SessionId) -> HeldUp | None:
        reads = self._store.reads
        while (record := await reads.get_session(org, session)) is not None:
            if record.session.activity is not Activity.WAITING:
                return HeldUp(()) if record.session.presences else None
            asks = await reads.list_asks(org, session, open_only=True)
            if asks:
                return HeldUp(asks) if _need_somebody(ask.kind for ask in asks) else None
            # Two reads are no snapshot: it waits for a budget only if nothing was decided between them.
            if (await reads.head_seqs(org, [session])).get(session) == record.session.next_seq - 1:
                return HeldUp(())
        return None


async def _lock_newest(tx: Tx, org: OrgId, alias: str) -> State | None:
    """The newest session of an alias, or else the one of that id, locked."""
    # One that was deleted before it could be locked is not found again.
    while (session := await tx.find_by_alias(org, alias)) is not None:
        state = await tx.lock_session(org, session)
        if state is not None:
            return state
    id = _id_of(alias)
    return None if id is None else await tx.lock_session(org, id)


def _id_of(alias: str) -> SessionId | None:
    try:
        return SessionId(UUID(alias))
    except ValueError:
        return None


def _need_somebody(kinds: Iterable[AskKind]) -> bool:
    """Whether a turn that waits for these needs somebody: sessions that it has started come to an end by themselves."""
    # Nothing at all is a budget that somebody has to raise.
    return set(kinds) != {"session"}


_HOLDS_UP: Final = frozenset({e.LeaseAcquired.type, e.TurnWaiting.type})


@dataclass(slots=True)
class _Watch:
    """What was seen of an input and its turn."""

    input: Input
    is_live: bool = False
    has_begun: bool = False
    has_ended: bool = False
    is_waiting: bool = False
    messages: set[MessageId] = field(default_factory=set[MessageId])
    asks: dict[AskId, AskKind] = field(default_factory=dict[AskId, AskKind])

    def may_concern(self, stored: StoredEvent) -> bool:
        return stored.turn == self.input.turn or stored.type == e.InputWithdrawn.type

    def sees(self, event: e.Event) -> bool:
        """Take note of an event; False if it is of another input."""
        match event:
            case e.InputWithdrawn(input=input):
                if input != self.input.id:
                    return False
                self.has_ended = True
            case e.TurnQueued() | e.TurnStarted():
                self.has_begun = True
            case e.TurnDeferred():
                self.has_begun = False
            case e.TurnCompleted() | e.TurnFailed() | e.TurnCancelled():
                self.has_ended = True
            case e.ModelCalled(message=message):
                self.messages.add(message)
            case _:
                self._note_wait(event)
        return True

    def _note_wait(self, event: e.Event) -> None:
        match event:
            case e.AskOpened(ask=ask, kind=kind):
                self.asks[ask] = kind
            case e.AskDecided(ask=ask):
                self.asks.pop(ask, None)
                # With the last of them the turn resumes.
                self.is_waiting = self.is_waiting and bool(self.asks)
            case e.TurnWaiting():
                self.is_waiting = True
            case e.TurnResumed():
                self.is_waiting = False
            case _:
                pass

    def shows(self, preview: Preview) -> bool:
        return preview.message in self.messages

    def is_over(self) -> bool:
        return self.has_ended or (self.is_waiting and self.is_live and _need_somebody(self.asks.values()))

    def may_be_stuck(self, item: FeedItem) -> bool:
        """Whether `item` may have brought something that keeps the turn from its beginning."""
        if self.has_begun or not self.is_live:
            return False
        return isinstance(item, CaughtUp) or (isinstance(item, StoredEvent) and item.type in _HOLDS_UP)
