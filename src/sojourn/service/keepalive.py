"""Sessions that are idle here and worked for elsewhere: before one expires, whatever runs its agent is asked.

It is asked when the idle timeout is over and not before, so a session that nobody would end costs no request. Its timer
is put off for as long as the question may take: no other process asks too, and one that is lost while it asks leaves a
timer that is due again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from sojourn.domain.commands import NoteActivity
from sojourn.domain.draft import State, deadlines
from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.policy import Timer
from sojourn.ports import Clock, DueTimer, Store, Tx
from sojourn.ports.probes import BusyProbe, Idler
from sojourn.service.agents import Agents
from sojourn.service.verbs import carry_out

log = logging.getLogger(__name__)

# Longer than an answer may take.
ASKING: Final = timedelta(seconds=60)
AT_ONCE: Final = 32
# Of those that are asked about, or wait for that. The timers of others come again.
MOST: Final = 1_000

Expire = Callable[[], Awaitable[object]]


class KeepAlive:
    def __init__(self, store: Store, clock: Clock, agents: Agents) -> None:
        self._store = store
        self._clock = clock
        self._agents = agents
        self._probes: dict[RunnerKind, BusyProbe] = {}
        self._asking: dict[tuple[OrgId, SessionId], asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)

    def register(self, runner: RunnerKind, probe: BusyProbe) -> None:
        self._probes[runner] = probe

    async def takes(self, timer: DueTimer, expire: Expire) -> bool:
        """Whether the session is asked about, beside the caller; `expire` ends it if nobody works for it."""
        if timer.kind != "idle" or not self._probes:
            return False
        record = await self._store.reads.get_session(timer.org, timer.session)
        probe = None if record is None else self._probes.get(record.session.runner)
        if record is None or probe is None:
            return False
        spans = await self._store.reads.turn_spans(timer.org, [timer.session])
        span = spans.get(timer.session)
        if span is None or span.ended_at is None:
            return False
        session = record.session
        agent = await self._agents.get_version(
            self._store.reads, session.org, session.agent, session.agent_version
        )
        idler = Idler(
            org=session.org, session=session.id, alias=record.alias, agent=agent, ended_at=span.ended_at
        )
        is_due = await self._store.write(lambda tx: self._put_off(tx, timer))
        place = (timer.org, timer.session)
        if is_due and place not in self._asking and len(self._asking) < MOST:
            task = asyncio.create_task(self._ask(timer, idler, probe, expire))
            self._asking[place] = task
            task.add_done_callback(lambda _: self._asking.pop(place))
        return True

    async def join(self) -> None:
        """Return when nobody is being asked any more."""
        while self._asking:
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await self.join()

    async def _put_off(self, tx: Tx, timer: DueTimer) -> bool:
        """False if the session is not due any more."""
        now = self._clock.now()
        state = await tx.lock_session(timer.org, timer.session)
        if state is None or not _is_due(state, now):
            return False
        await tx.write_timers(timer.org, timer.session, (Timer("idle", now + ASKING),))
        return True

    async def _ask(self, timer: DueTimer, idler: Idler, probe: BusyProbe, expire: Expire) -> None:
        try:
            async with self._places:
                active_at = await probe.last_active(idler, self._clock.now())
            if active_at is None or not await self._store.write(lambda tx: self._note(tx, timer, active_at)):
                await expire()
        except StoreUnavailable:
            log.warning("the store is not available; session %s is asked about again", timer.session)
        except Exception:
            log.exception("asking about session %s failed; it is asked about again", timer.session)

    async def _note(self, tx: Tx, timer: DueTimer, active_at: datetime) -> bool:
        """Whether the session has time left, by what was heard or by what has happened meanwhile."""
        now = self._clock.now()
        state = await tx.lock_session(timer.org, timer.session)
        if state is None or not _is_due(state, now):
            return True
        decision = await carry_out(tx, state, NoteActivity(active_at=active_at), now)
        return not _is_due(State(session=decision.session), now)


def _is_due(state: State, now: datetime) -> bool:
    due_at = deadlines(state)["idle"]
    return due_at is not None and due_at <= now
