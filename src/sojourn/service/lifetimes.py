"""How long a session is there: reopened, extended, and removed in the end."""

from datetime import datetime, timedelta

from sojourn.domain.actor import Actor
from sojourn.domain.commands import ExtendSession, ReopenSession
from sojourn.domain.draft import State
from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.record import SessionRecord, Tombstone
from sojourn.ports import Clock, Store, Tx
from sojourn.service.results import Repeat, Result
from sojourn.service.verbs import Remembered, carry_out, leave_on_deletion, lock, once


class Lifetimes:
    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def reopen(
        self, org: OrgId, session: SessionId, by: Actor, repeat: Repeat | None = None
    ) -> Result[SessionRecord]:
        """WrongState for a session that is open or archived, or whose policy does not let it be opened again."""
        return await self._change(org, session, ReopenSession(by=by), repeat)

    async def extend(
        self,
        org: OrgId,
        session: SessionId,
        until: datetime | timedelta,
        by: Actor,
        repeat: Repeat | None = None,
    ) -> Result[SessionRecord]:
        """No deadline of the open session comes before `until`, or before that long from now."""
        now = self._clock.now()
        instant = now + until if isinstance(until, timedelta) else until
        if instant <= now:
            raise InvalidRequest("expires_at", "must lie in the future")
        return await self._change(org, session, ExtendSession(until=instant, by=by), repeat)

    async def _change(
        self, org: OrgId, session: SessionId, command: ReopenSession | ExtendSession, repeat: Repeat | None
    ) -> Result[SessionRecord]:
        now = self._clock.now()

        async def change(tx: Tx) -> Remembered:
            await carry_out(tx, await lock(tx, org, session), command, now)
            return Remembered({"session": str(session)}, created=False)

        async def verb(tx: Tx) -> Remembered:
            return await once(tx, org, repeat, now, lambda: change(tx))

        answer = await self._store.write(verb)
        record = await self._store.reads.get_session(org, session)
        if record is None:
            raise NotFound("session", session)
        return Result(record, created=False, replayed=answer.replayed)


async def remove(tx: Tx, state: State, now: datetime, by: Actor) -> None:
    """Delete a locked session; its history is purged later. Its children are ended and stay."""
    org, session = state.session.org, state.session.id
    record = await tx.get_session(org, session)
    if record is None:
        raise NotFound("session", session)
    await leave_on_deletion(tx, state.session, by, now)
    await tx.delete_session(record, Tombstone(session, state.session.next_seq - 1, now, by.key))
