"""What a worker outside is told at once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Final

from sojourn.domain.ids import OrgId, SessionId, TurnId
from sojourn.ports import Store
from sojourn.ports.turns import Ready
from sojourn.service.hub import Hub
from sojourn.service.outside.callers import Caller
from sojourn.service.outside.claiming import OutsideClaims
from sojourn.service.outside.patience import false, or_closed
from sojourn.service.turn_writes import is_of_key

MAX_HINTS: Final = 100
MAX_STOPPED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Listening:
    """What follows is live."""


@dataclass(frozen=True, slots=True)
class TurnReady:
    session: SessionId


@dataclass(frozen=True, slots=True)
class TurnStopped:
    """`turn` None is whichever turn of the session the worker has."""

    session: SessionId
    turn: TurnId | None


Signal = Listening | TurnReady | TurnStopped


class OutsideSignals:
    def __init__(self, store: Store, claims: OutsideClaims, hub: Hub) -> None:
        self._store = store
        self._claims = claims
        self._hub = hub

    async def signals(self, caller: Caller) -> AsyncGenerator[Signal]:
        """What a worker would otherwise find by asking again and again, until the server ends its feeds."""
        caller.check()
        pending = _Pending(caller.org)
        leave = self._hub.connect_worker(pending.on_ready, pending.on_stop, pending.on_others)
        try:
            yield Listening()
            while True:
                for stopped in pending.take_stopped():
                    if await self._is_told(caller, stopped):
                        yield stopped
                if pending.take_ready():
                    for ready in await self._claims.ready(caller, MAX_HINTS):
                        yield TurnReady(ready.session)
                elif await or_closed(self._hub, false(pending.changed()), True):
                    return
        finally:
            leave()

    async def _is_told(self, caller: Caller, stopped: TurnStopped) -> bool:
        """What another key's worker has is not its business; whose it was that nobody has any more is not known."""
        if stopped.turn is None:
            return True
        turn = await self._store.reads.get_turn(caller.org, stopped.session, stopped.turn)
        return turn is None or turn.worker is None or is_of_key(turn.worker, caller.principal.key)


class _Pending:
    """What a listener is still to be told, each thing once."""

    def __init__(self, org: OrgId) -> None:
        self._org = org
        self._stopped: dict[TurnStopped, None] = {}
        self._is_ready = False
        self._changed = asyncio.Event()

    def on_ready(self, ready: Ready) -> None:
        if ready.org == self._org:
            self._is_ready = True
            self._changed.set()

    def on_others(self) -> None:
        self._is_ready = True
        self._changed.set()

    def on_stop(self, ready: Ready, turn: TurnId | None) -> bool:
        # A listener that does not read is told by its renewals.
        if ready.org == self._org and len(self._stopped) < MAX_STOPPED:
            self._stopped[TurnStopped(ready.session, turn)] = None
            self._changed.set()
        return False

    def take_stopped(self) -> list[TurnStopped]:
        self._changed.clear()
        stopped, self._stopped = self._stopped, {}
        return list(stopped)

    def take_ready(self) -> bool:
        is_ready, self._is_ready = self._is_ready, False
        return is_ready

    async def changed(self) -> None:
        await self._changed.wait()
