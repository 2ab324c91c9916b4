"""The same loop in threads, one for each turn. Written by hand, as nothing in it is the other loop's word for word."""

import logging
import threading
from collections.abc import Sequence
from contextlib import closing
from time import monotonic
from typing import Final
from uuid import UUID

from sojourn.client.errors import SojournError
from sojourn.client.sync.turn import Turn
from sojourn.client.sync.worker_calls import WorkerCalls
from sojourn.client.sync.worker_steps import Handler, WorkerSteps

log = logging.getLogger(__name__)

_RENEW_SECONDS: Final = 5.0
# For a handler that was stopped; well within a lease, which nobody renews any more when the worker itself ends.
_GRACE_SECONDS: Final = 5.0


class _Over(Exception):
    """The worker has ended, and nobody hears what its threads are told."""


class Worker:
    """`Worker(client, handler, pool="…").run()` works until `stop` is called, or the process is interrupted.

    A handler runs in a thread of its own. No thread can be cancelled: in one whose turn is stopped, `turn.stopped` is
    True, and the next word of it raises LeaseLost, as does `turn.check()`. The session's next turn begins when that
    handler has ended, or five seconds later. A handler that raises fails its turn.
    """

    def __init__(
        self,
        client: WorkerCalls,
        handler: Handler,
        *,
        pool: str = "default",
        agents: Sequence[UUID] = (),
        capacity: int = 10,
        name: str | None = None,
    ) -> None:
        self._steps = WorkerSteps(client, handler, pool, agents, name)
        self.name = self._steps.name
        self._room = threading.Semaphore(capacity)
        self._lock = threading.Lock()
        self._running: dict[str, tuple[Turn, threading.Thread]] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Work until stopped, then give back what is still at work."""
        for beside in (self._renew, self._listen):
            # A daemon, as all of them here: a thread that waits for the server keeps no process from its end.
            threading.Thread(target=beside, daemon=True).start()
        try:
            while True:
                self._room.acquire()
                if self._over.is_set():
                    return
                turn = self._steps.claim()
                if turn is None:
                    self._room.release()
                else:
                    self._begin(turn)
        finally:
            self._over.set()
            self._give_back()

    def stop(self) -> None:
        """From any thread: claim no further turn. `run`, which may be waiting for one, returns within 20 seconds."""
        self._over.set()
        self._room.release()

    def _begin(self, turn: Turn) -> None:
        session = turn.claimed.session
        before = [thread for other, thread in self._at_work() if other.claimed.session == session]
        thread = threading.Thread(target=self._work, args=[turn, before], daemon=True)
        with self._lock:
            self._running[turn.claimed.claim] = (turn, thread)
        thread.start()

    def _work(self, turn: Turn, before: Sequence[threading.Thread]) -> None:
        try:
            until = monotonic() + _GRACE_SECONDS
            for thread in before:
                thread.join(max(0.0, until - monotonic()))
            self._steps.work(turn)
        finally:
            with self._lock:
                del self._running[turn.claimed.claim]
            self._room.release()

    def _at_work(self) -> list[tuple[Turn, threading.Thread]]:
        with self._lock:
            return list(self._running.values())

    def _renew(self) -> None:
        while not self._over.wait(_RENEW_SECONDS):
            turns = {turn.claimed.claim: turn for turn, _ in self._at_work()}
            for name in self._steps.renew(list(turns)):
                turns[name].stopped = True

    def _listen(self) -> None:
        try:
            with closing(self._steps.stops(self._lost)) as stops:
                for stop in stops:
                    for turn, _ in self._at_work():
                        turn.stopped |= turn.is_meant_by(stop)
        except _Over:
            return
        except SojournError as error:
            log.warning("stopped turns are noticed at renewals only: %s", error)
        except RuntimeError:
            # httpx2's answer to a request by a client that was closed, which happens to a worker that is over.
            if not self._over.is_set():
                raise

    def _lost(self, cause: str) -> None:
        if self._over.is_set():
            raise _Over(cause)

    def _give_back(self) -> None:
        """Give every handler time to stop, then give up the claims.

        One that goes on beyond that writes nothing: the server refuses whatever is said for a claim that was given up.
        """
        running = self._at_work()
        until = monotonic() + _GRACE_SECONDS
        for turn, _ in running:
            turn.stopped = True
        for turn, thread in running:
            thread.join(max(0.0, until - monotonic()))
            self._steps.release(turn)
