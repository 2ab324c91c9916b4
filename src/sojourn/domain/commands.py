"""What can be asked of a session. Each command is decided by one function of `decide.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sojourn.domain.actor import Actor
from sojourn.domain.ask import Ask, Decision
from sojourn.domain.budget import Budget
from sojourn.domain.content import TextPart
from sojourn.domain.events import RunnerEvent
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.fold import Unfinished
from sojourn.domain.ids import InputId, MessageId, SessionId, TurnId
from sojourn.domain.input import Input
from sojourn.domain.kinds import Delivery, InputKind, Json, Outcome
from sojourn.domain.memory_events import MemoryDeleted, MemoryWritten
from sojourn.domain.policy import Policy

NOTHING_UNFINISHED = Unfinished()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveInput:
    """`unfinished` is what the open turn leaves behind if this input interrupts it.

    `asks` are the open ones of a parked turn, which a steer denies. `opened` is the input of an open turn that nobody
    has claimed, which may have to stand back.
    """

    input: InputId
    turn: TurnId
    kind: InputKind
    delivery: Delivery
    content: tuple[TextPart, ...]
    by: Actor
    facets: Mapping[str, Json] = field(default_factory=dict[str, Json])
    payload: str | None = None
    model: str | None = None
    unfinished: Unfinished = NOTHING_UNFINISHED
    asks: tuple[Ask, ...] = ()
    opened: Input | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditInput:
    input: Input
    content: tuple[TextPart, ...]
    by: Actor
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveInput:
    """Put `input` directly before `before` in the queue; without one to its end, behind `last`.

    `opened` is the input of an open turn that nobody has claimed.
    """

    input: Input
    before: Input | None
    by: Actor
    last: Input | None = None
    opened: Input | None = None
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawInput:
    input: Input
    by: Actor
    expected_revision: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCall:
    """The first model call of a turn, whose intent is written by the claim itself."""

    model: str
    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTurn:
    worker: str
    spawns: bool
    agent_version: int
    first_call: FirstCall | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppendEvents:
    """`steers_before` is the model call before which waiting steers are delivered; None delivers none.

    They are logged after `events` and before `intents`, so that the intent of the call stands behind its inputs.
    """

    events: tuple[RunnerEvent | FileWritten | FileDeleted | MemoryWritten | MemoryDeleted, ...]
    intents: tuple[RunnerEvent, ...] = ()
    steers_before: int | None = None
    steers: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleTurn:
    """`error` tells a failed turn from a completed one."""

    events: tuple[RunnerEvent, ...]
    reason: Outcome = "end_turn"
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryTurn:
    events: tuple[RunnerEvent, ...]
    error: str
    retry_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTurn:
    events: tuple[RunnerEvent, ...]
    asks: tuple[Ask, ...]
    mode: Literal["held", "parked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAsk:
    ask: Ask
    decision: Decision
    by: Actor
    answer: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideAsks:
    """Several at once: all of them or, if one cannot be decided, none."""

    verdicts: tuple[DecideAsk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReclaimTurn:
    cause: Literal["lease_expired", "worker_stopped", "server_restarted", "start_expired"]
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTurn:
    turn: TurnId
    by: Actor
    reason: Outcome = "interrupted"
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseChild:
    """The parent waits for this session no more. `asked` is the input that it made the session with."""

    asked: Input
    by: Actor
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    status: Literal["completed", "failed", "cancelled", "expired"]
    by: Actor
    reason: str | None = None
    queued: tuple[Input, ...] = ()
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireSession:
    reason: Literal["idle", "lifetime"]
    queued: tuple[Input, ...] = ()
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenSession:
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendSession:
    until: datetime
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteActivity:
    """Somebody worked for the session without a turn, until `active_at`."""

    active_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TrimLog:
    """Of an ended session, whose policy lets its log go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkSession:
    """The first words of a fork, whose log so far is its parent's.

    `waiting` are the inputs that nobody has read by then, that of the open turn among them.
    """

    parent: SessionId
    at: int
    by: Actor
    title: str | None = None
    external_id: str | None = None
    waiting: tuple[Input, ...] = ()
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSession:
    """The first words of an imported session, as those of a fork. `head` is that of the export's chain."""

    origin: SessionId
    at: int
    head: str
    by: Actor
    title: str | None = None
    external_id: str | None = None
    waiting: tuple[Input, ...] = ()
    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class RewindSession:
    """`to` is an event at which no turn was open; `changes` bring the file area back to what it was then."""

    to: int
    by: Actor
    changes: tuple[FileWritten | FileDeleted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateSession:
    """`changes` are the new values for the log; `policy` is set where they change it.

    `active_at` is when a client says that the session was last active. `overlaid` says whether the session adds
    anything to its agent from now on.
    """

    changes: Mapping[str, Json]
    by: Actor
    expected_revision: int | None = None
    policy: Policy | None = None
    archived: bool | None = None
    stated_status: str | None = None
    active_at: datetime | None = None
    overlaid: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFiles:
    """What a client does to the file area; nothing for what is so already."""

    changes: tuple[FileWritten | FileDeleted, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachPresence:
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePresence:
    holder: str
    by: Actor = field(default_factory=lambda: Actor("human"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateBudget:
    budget: Budget
    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeBudget:
    """`budget` is as it was read under the session's lock; the rest is as it shall be. `status` None leaves that."""

    budget: Budget
    limit: Decimal
    soft_limit: Decimal | None
    metadata: Mapping[str, Json]
    by: Actor
    status: Literal["active", "paused", "disabled"] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeBudget:
    """What no event tells of was used up."""

    budget: Budget
    amount: Decimal
    by: Actor
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpBudget:
    budget: Budget
    amount: Decimal
    by: Actor
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeBudgets:
    """Every paused budget of the session."""

    by: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAtBudget:
    """End the turn of a runner that announces no calls, behind the report that found a budget used up."""

    unfinished: Unfinished = NOTHING_UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtBudgets:
    """Those of the sessions above are others than before, or may be used again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOfBudget:
    """`budget` is as it was read under its session's lock, after a session below has used it."""

    budget: Budget
    word: Literal["warned", "paused", "exhausted"]


BudgetCommand = (
    LookAtBudgets | TellOfBudget | CreateBudget | ChangeBudget | ChargeBudget | TopUpBudget | ResumeBudgets
)

Command = (
    ReceiveInput
    | EditInput
    | MoveInput
    | WithdrawInput
    | ClaimTurn
    | AppendEvents
    | SettleTurn
    | RetryTurn
    | WaitTurn
    | DecideAsk
    | DecideAsks
    | ReclaimTurn
    | CancelTurn
    | ReleaseChild
    | EndSession
    | ExpireSession
    | ReopenSession
    | ExtendSession
    | TrimLog
    | NoteActivity
    | ForkSession
    | ImportSession
    | RewindSession
    | UpdateSession
    | ChangeFiles
    | AttachPresence
    | ReleasePresence
    | StopAtBudget
    | BudgetCommand
)
