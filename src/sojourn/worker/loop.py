"""The worker: hear of ready turns, claim them, run them side by side, renew their leases, give them back on a stop."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sojourn.domain.errors import StoreUnavailable
from sojourn.domain.ids import TurnId
from sojourn.domain.kinds import RunnerKind
from sojourn.ports.endings import Faulted
from sojourn.ports.turns import ClaimedTurn, Ready, Runner, Turns
from sojourn.worker.execution import Execution, Folds, until_stored

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 1.0
# Other processes say that turns are ready as often as they make some, and mostly take them themselves.
HEARSAY_SECONDS: Final = 0.02
POLL_LIMIT: Final = 100


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """`renew_seconds` None is for leases that live as long as this process.

    `stop_seconds` is how long the next turn of a session waits for the stopped step of the one before to end.
    """

    name: str
    capacity: int = 100
    renew_seconds: float | None = None
    grace_seconds: float = 2.0
    stop_seconds: float = 5.0


@dataclass(slots=True)
class _Running:
    """`again` says that a hint came while the session's last turn was still being written.

    `stopped` are the turns that were taken away while a claim was on its way; None stands for every turn.
    """

    task: asyncio.Task[None]
    turn: ClaimedTurn | None = None
    again: bool = False
    stopped: set[TurnId | None] = field(default_factory=set[TurnId | None])


class Worker:
    def __init__(self, turns: Turns, runners: Mapping[RunnerKind, Runner], settings: WorkerSettings) -> None:
        self._turns = turns
        self._runners = runners
        self._settings = settings
        self._execution = Execution(turns, runners, Folds())
        # One a session: polls repeat what they find for as long as there is no room for it.
        self._hints: dict[Ready, None] = {}
        self._wake = asyncio.Event()
        self._doubtful = asyncio.Event()
        # When the next poll upon hearsay may be.
        self._hearsay_at = 0.0
        self._poll_at = 0.0
        self._running: dict[Ready, _Running] = {}
        # Stopped steps that would not end in time. Each keeps its room until it ends.
        self._stuck: set[asyncio.Task[None]] = set()

    def hear(self, ready: Ready) -> None:
        """A hint that a session has a turn to claim."""
        self._hints[ready] = None
        self._wake.set()

    def hear_of_others(self) -> None:
        """Another process has made some turn ready: ask for what is left of them, and not at every word."""
        self._poll_at = min(self._poll_at, self._hearsay_at)
        self._wake.set()

    def doubt(self) -> None:
        """Turns may have been taken away without a word: renew now, which tells which ones."""
        self._doubtful.set()

    def stop_turn(self, of: Ready, turn: TurnId | None) -> bool:
        """A turn is not ours any more: stop its effects now rather than at its next write. Whether it ran here.

        The session's next turn is claimed here when they have ended, or after `stop_seconds` although they have not.
        """
        running = self._running.get(of)
        if running is None:
            return False
        if running.turn is None:
            running.stopped.add(turn)
            return True
        if turn is not None and running.turn.turn != turn:
            return False
        if running.task.cancelling():
            # Told by a hint, and again by a renewal: a second cancellation would cut short how the step ends.
            return True
        running.task.cancel()
        seconds = self._settings.stop_seconds
        asyncio.get_running_loop().call_later(seconds, self._leave_behind, of, running)
        return True

    def _leave_behind(self, of: Ready, running: _Running) -> None:
        """Let the session go on without the step that ignores its stop: the fence refuses whatever that one writes."""
        if self._running.get(of) is not running:
            return
        log.error(
            "a step of session %s still runs %g s after it was stopped; its next turn no longer waits for it",
            of.session,
            self._settings.stop_seconds,
        )
        self._stuck.add(running.task)
        running.task.add_done_callback(self._unstick)
        self._forget(of, running)
        # Asked to stop once more, in case it only missed the first time.
        running.task.cancel()

    def _unstick(self, task: asyncio.Task[None]) -> None:
        self._stuck.discard(task)
        self._wake.set()

    def _forget(self, of: Ready, running: _Running) -> None:
        if self._running.get(of) is running:
            del self._running[of]
            if running.again:
                self._hints[of] = None
        # There is room for one more, whether or not this session has a next turn.
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled, then give the turns back."""
        renewing = asyncio.create_task(self._renew())
        try:
            await self._work()
        finally:
            renewing.cancel()
            await self._give_back()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        is_behind = False
        while True:
            # A full page means that there is more: it is asked for as soon as the page is under way.
            if loop.time() >= self._poll_at or (is_behind and not self._hints):
                # Set before it is asked: a word that comes meanwhile is of a turn that the answer may lack.
                polled_at = loop.time()
                self._poll_at = polled_at + POLL_SECONDS
                is_behind = await self._poll()
                # A worker that found something is one that others leave something to.
                found_none = not self._hints or self._is_full()
                self._hearsay_at = polled_at + (HEARSAY_SECONDS if found_none else 0.0)
            self._wake.clear()
            self._start_hinted()
            try:
                async with asyncio.timeout_at(self._poll_at):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _is_full(self) -> bool:
        return len(self._running) + len(self._stuck) >= self._settings.capacity

    def _start_hinted(self) -> None:
        while self._hints and not self._is_full():
            ready = next(iter(self._hints))
            del self._hints[ready]
            running = self._running.get(ready)
            if running is not None:
                running.again = True
                continue
            task = asyncio.create_task(self._claim_and_execute(ready))
            self._running[ready] = _Running(task)

    async def _poll(self) -> bool:
        """What no hint told of: turns delayed until now, or made ready by another process. Whether there is more."""
        is_full = False
        try:
            for runner in self._runners:
                found = await self._turns.ready(runner, POLL_LIMIT)
                is_full = is_full or len(found) >= POLL_LIMIT
                for ready in found:
                    self.hear(ready)
        except StoreUnavailable:
            log.warning("the store cannot be asked for ready turns; trying again")
        except Exception:
            # A worker that ends here would leave a server that takes inputs and answers none.
            log.exception("asking for ready turns failed; trying again")
        return is_full

    async def _claim_and_execute(self, ready: Ready) -> None:
        running = self._running[ready]
        turn: ClaimedTurn | None = None
        try:
            turn = await self._turns.claim(ready, self._settings.name, self._runners.keys())
            if turn is not None:
                running.turn = turn
                await self._execute(ready, turn, is_stopped=not running.stopped.isdisjoint((turn.turn, None)))
        except StoreUnavailable:
            log.warning("the store is not available; turn of session %s is given back", ready.session)
            if turn is not None:
                await until_stored(lambda: self._turns.give_back(turn))
        except Exception:
            log.exception("the turn of session %s failed in the worker", ready.session)
        finally:
            self._forget(ready, running)

    async def _execute(self, ready: Ready, turn: ClaimedTurn, is_stopped: bool) -> None:
        if is_stopped:
            # Whether it was this claim that was stopped, or the turn of an earlier one, its fence tells.
            await until_stored(lambda: self._turns.give_back(turn))
            return
        ending = await self._execution.execute(turn)
        if isinstance(ending, Faulted):
            # Polling would find it too, but only within its interval.
            asyncio.get_running_loop().call_later(ending.delay_seconds, self.hear, ready)

    async def _renew(self) -> None:
        seconds = self._settings.renew_seconds
        while seconds is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._doubtful.wait()
            self._doubtful.clear()
            held = [running.turn for running in self._running.values() if running.turn is not None]
            if not held:
                continue
            try:
                for lost in await self._turns.renew(held, self._settings.name):
                    self.stop_turn(Ready(lost.org, lost.session), lost.turn)
            except StoreUnavailable:
                log.warning("leases could not be renewed; trying again")
            except Exception:
                # Without renewals every turn would be taken away and started anew, again and again.
                log.exception("renewing leases failed; trying again")

    async def _give_back(self) -> None:
        """Stop every effect first, then release the leases: another worker may start at once."""
        running = list(self._running.values())
        for one in running:
            if one.turn is None:
                # Its claim may be made already, so it is heard to its end and given back by itself.
                one.stopped.add(None)
            else:
                one.task.cancel()
        for task in self._stuck:
            task.cancel()
        tasks = [*(one.task for one in running), *self._stuck]
        if tasks:
            await asyncio.wait(tasks, timeout=self._settings.grace_seconds)
        # One that will not stop keeps its lease, as nobody else may begin while it goes on.
        held = [one.turn for one in running if one.turn is not None and one.task.done()]
        try:
            async with asyncio.timeout(self._settings.grace_seconds):
                await asyncio.gather(
                    *(until_stored(lambda turn=turn: self._turns.give_back(turn)) for turn in held)
                )
        except TimeoutError:
            log.warning("some turns could not be given back in time; they are reclaimed by their leases")
