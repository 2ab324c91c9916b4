# Made from src/sojourn/client/worker_steps.py by scripts/twin; change that one.
"""What a worker does, one step at a time. When it does what, and what beside what, is up to its loop."""

import logging
import os
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import Final
from uuid import UUID, uuid4

from sojourn.client.agent_types import RunnerKind
from sojourn.client.errors import LeaseLost, ServerUnreachable, SojournError, Unavailable
from sojourn.client.stream_types import LossListener, no_listener
from sojourn.client.sync.turn import Turn
from sojourn.client.sync.waits import pause
from sojourn.client.sync.worker_calls import WorkerCalls
from sojourn.client.worker_types import StoppedTurn

log = logging.getLogger(__name__)

# What a handler returns is said, if it is a text.
Handler = Callable[[Turn], str | None]

_WAIT_SECONDS: Final = 20.0
_AWAY_SECONDS: Final = 1.0
_RUNNERS: Final[Sequence[RunnerKind]] = ("external",)


class WorkerSteps:
    def __init__(
        self, client: WorkerCalls, handler: Handler, pool: str, agents: Sequence[UUID], name: str | None
    ) -> None:
        self.name = name or f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._client = client
        self._handler = handler
        self._pool = pool
        self._agents = agents

    def claim(self) -> Turn | None:
        """None where none came for a while, or the server is away."""
        try:
            claimed = self._client.claim_turn(
                self.name, _RUNNERS, self._pool, agents=self._agents, wait_seconds=_WAIT_SECONDS
            )
        except (ServerUnreachable, Unavailable, LeaseLost) as error:
            log.warning("no turn could be claimed: %s", error)
            pause(_AWAY_SECONDS)
            return None
        return None if claimed is None else Turn(self._client, claimed)

    def work(self, turn: Turn) -> None:
        """Hand the turn over, and end it."""
        try:
            if turn.claimed.attempt > 1:
                turn.recover()
            self._handle(turn)
        except LeaseLost as error:
            log.info("turn %s goes no further here: %s", turn.claimed.turn, error)
        except SojournError as error:
            # Its lease lapses, and the turn is claimed again.
            log.warning("turn %s could not be ended: %s", turn.claimed.turn, error)

    def _handle(self, turn: Turn) -> None:
        try:
            text = self._handler(turn)
            if text:
                turn.say(text)
        except SojournError:
            raise
        except Exception as error:
            log.exception("turn %s failed", turn.claimed.turn)
            turn.settle(error=str(error) or type(error).__name__)
        else:
            turn.settle()

    def renew(self, claims: Sequence[str]) -> Sequence[str]:
        """Say that the worker is alive. Those of the claims that are lost."""
        if not claims:
            return ()
        try:
            return self._client.renew_claims(self.name, claims)
        except SojournError as error:
            log.warning("leases could not be renewed; trying again: %s", error)
            return ()

    def stops(self, on_loss: LossListener = no_listener) -> Generator[StoppedTurn, None]:
        """Renewals tell of stopped turns too, some seconds later."""
        signals = self._client.signals(self.name, _RUNNERS, self._pool, on_loss)
        with closing(signals) as items:
            for item in items:
                if isinstance(item, StoppedTurn):
                    yield item

    def release(self, turn: Turn) -> None:
        """Give the turn up: another worker may start at once."""
        try:
            self._client.release_claim(turn.claimed.claim)
        except SojournError as error:
            log.info("turn %s was not given back: %s", turn.claimed.turn, error)
