"""Turns: the work that one input starts, until the agent yields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sojourn.domain.errors import WrongState
from sojourn.domain.ids import InputId, TurnId
from sojourn.domain.kinds import Outcome, RunnerKind


class TurnStatus(StrEnum):
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    WAITING = "waiting"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        return self not in CLOSED


CLOSED: Final = frozenset({TurnStatus.COMPLETED, TurnStatus.FAILED, TurnStatus.CANCELLED})
CLAIMABLE: Final = frozenset({TurnStatus.QUEUED, TurnStatus.RETRYING})
# The statuses in which somebody may hold the turn's lease (a parked turn is waiting without one).
HELD: Final = frozenset({TurnStatus.STARTING, TurnStatus.RUNNING, TurnStatus.WAITING})


class Move(StrEnum):
    """What can happen to a turn. `claim` and `spawn` differ by whether the runner has to start something first."""

    CLAIM = "claim"
    SPAWN = "spawn"
    APPEND = "append"
    HOLD = "hold"
    PARK = "park"
    RESUME = "resume"
    REQUEUE = "requeue"
    RECLAIM = "reclaim"
    RETRY = "retry"
    COMPLETE = "complete"
    FAIL = "fail"
    CANCEL = "cancel"


_S, _M = TurnStatus, Move

TRANSITIONS: Final[Mapping[tuple[TurnStatus, Move], TurnStatus]] = {
    (_S.QUEUED, _M.CLAIM): _S.RUNNING,
    (_S.QUEUED, _M.SPAWN): _S.STARTING,
    (_S.QUEUED, _M.CANCEL): _S.CANCELLED,
    (_S.STARTING, _M.APPEND): _S.RUNNING,
    (_S.STARTING, _M.PARK): _S.WAITING,
    (_S.STARTING, _M.COMPLETE): _S.COMPLETED,
    (_S.STARTING, _M.RECLAIM): _S.RETRYING,
    (_S.STARTING, _M.RETRY): _S.RETRYING,
    (_S.STARTING, _M.FAIL): _S.FAILED,
    (_S.STARTING, _M.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _M.APPEND): _S.RUNNING,
    (_S.RUNNING, _M.HOLD): _S.WAITING,
    (_S.RUNNING, _M.PARK): _S.WAITING,
    (_S.RUNNING, _M.RECLAIM): _S.RETRYING,
    (_S.RUNNING, _M.RETRY): _S.RETRYING,
    (_S.RUNNING, _M.COMPLETE): _S.COMPLETED,
    (_S.RUNNING, _M.FAIL): _S.FAILED,
    (_S.RUNNING, _M.CANCEL): _S.CANCELLED,
    (_S.WAITING, _M.APPEND): _S.WAITING,
    (_S.WAITING, _M.HOLD): _S.WAITING,
    (_S.WAITING, _M.PARK): _S.WAITING,
    (_S.WAITING, _M.RESUME): _S.RUNNING,
    (_S.WAITING, _M.REQUEUE): _S.QUEUED,
    (_S.WAITING, _M.RECLAIM): _S.RETRYING,
    (_S.WAITING, _M.COMPLETE): _S.COMPLETED,
    (_S.WAITING, _M.FAIL): _S.FAILED,
    (_S.WAITING, _M.CANCEL): _S.CANCELLED,
    (_S.RETRYING, _M.CLAIM): _S.RUNNING,
    (_S.RETRYING, _M.SPAWN): _S.STARTING,
    (_S.RETRYING, _M.FAIL): _S.FAILED,
    (_S.RETRYING, _M.CANCEL): _S.CANCELLED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """`attempt` counts claims, `stalled` the claims in a row without progress, `faults` the passing faults in a row.

    `parked` says that a waiting turn has no lease. `not_before` delays the next claim. `first_seq` is the seq of
    its `turn.queued`: no event of the turn stands before it. `started_at` is the first claim, `claimed_at` the newest.
    `metered_at` is up to when budgets of seconds have been charged for a turn that is held. `model` is the one that
    its input has named.
    """

    id: TurnId
    input: InputId
    runner: RunnerKind
    status: TurnStatus
    first_seq: int
    created_at: datetime
    model: str | None = None
    attempt: int = 0
    stalled: int = 0
    faults: int = 0
    parked: bool = False
    open_asks: int = 0
    not_before: datetime | None = None
    worker: str | None = None
    agent_version: int | None = None
    started_at: datetime | None = None
    claimed_at: datetime | None = None
    metered_at: datetime | None = None
    ended_at: datetime | None = None
    reason: Outcome | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TurnSpan:
    """A session's turns at a glance: when the first was started, how the newest stands and when that ended.

    One that waits without an open ask waits for its budgets. `questions` are the open asks that somebody has to decide;
    the others wait for sessions that the turn has started.
    """

    started_at: datetime | None
    status: TurnStatus
    open_asks: int = 0
    ended_at: datetime | None = None
    questions: int = 0

    @property
    def waits_for_sessions(self) -> bool:
        """Whether it goes on by itself, with the end of sessions that it has started."""
        return self.status is TurnStatus.WAITING and self.open_asks > 0 and not self.questions

    @property
    def is_paused(self) -> bool:
        return self.status is TurnStatus.WAITING and not self.open_asks


def next_status(status: TurnStatus, move: Move) -> TurnStatus:
    """The status after `move`; WrongState where the table has no such transition."""
    try:
        return TRANSITIONS[status, move]
    except KeyError:
        raise WrongState("turn", status, move) from None
